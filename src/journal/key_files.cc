#include "journal/key_files.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <vector>

#include "core/encoding.h"

namespace chancery::journal {
namespace {

constexpr std::string_view kMasterPrefix = "chancery-master-key v1 ";
constexpr std::string_view kWrappedPrefix = "chancery-wrapped-key v1 ";

Bytes bytes_of_id(const KeyId& id) { return {reinterpret_cast<const char*>(id.data()), id.size()}; }

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "name=value" at the front of `text`, up to a space or the end; cut off. nullopt if it is not there.
std::optional<std::string_view> take_field(std::string_view& text, std::string_view name) {
  if (!text.starts_with(name) || !text.substr(name.size()).starts_with('=')) return std::nullopt;
  text.remove_prefix(name.size() + 1);
  const std::string_view value = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), value.size() + 1));
  return value;
}

bool take_id(std::string_view& text, std::string_view name, KeyId& id) {
  const auto value = take_field(text, name);
  const auto parsed = value ? key_id_from_hex(*value) : std::nullopt;
  if (parsed) id = *parsed;
  return parsed.has_value();
}

// What comes before id=.
bool take_kind(std::string_view& text, KeyInfo& info) {
  if (text.starts_with("log ")) {
    text.remove_prefix(4);
    info.kind = KeyInfo::Kind::log;
    const auto origin = take_field(text, "origin");
    if (origin) info.origin = *origin;
    return origin.has_value();
  }
  if (!text.starts_with("day ")) return false;
  text.remove_prefix(4);
  info.kind = KeyInfo::Kind::day;
  const auto retention_class = take_field(text, "class");
  const auto day = take_field(text, "day");
  if (!retention_class || !day) return false;
  const auto class_number = parse_number<std::uint16_t>(*retention_class);
  const auto day_value = parse_number<std::uint32_t>(*day);
  if (!class_number || !day_value) return false;
  info.retention_class = *class_number;
  info.day = *day_value;
  return true;
}

}  // namespace

std::string hex_of(const KeyId& id) { return to_hex(bytes_of_id(id)); }

std::optional<KeyId> key_id_from_hex(std::string_view text) {
  const auto octets = from_hex(text);
  KeyId id;
  if (!octets || octets->size() != id.size()) return std::nullopt;
  std::memcpy(id.data(), octets->data(), id.size());
  return id;
}

KeyId key_id(Crypto& crypto, const Secret& key) {
  const Hash hash = crypto.sha256({"chancery/1/key-id", key.bytes()});
  KeyId id;
  std::memcpy(id.data(), hash.data(), id.size());
  return id;
}

std::string master_name(std::uint32_t number) { return fmt::format("master-{:08}.key", number); }

std::optional<std::uint32_t> master_number(std::string_view file_name) {
  if (!file_name.starts_with("master-") || !file_name.ends_with(".key") || file_name.size() != 19) return std::nullopt;
  return parse_number<std::uint32_t>(file_name.substr(7, 8));
}

std::string day_file_name(std::uint32_t day, std::uint16_t retention_class) {
  return fmt::format("{:08}-{:05}.key", day, retention_class);
}

std::string log_file_name(Crypto& crypto, std::string_view origin) {
  return to_hex(bytes_of(crypto.sha256({origin})).substr(0, 16)) + ".key";
}

Buffer master_text(const Secret& key) {
  Buffer hex = to_hex(key.bytes());
  Buffer text;
  text.reserve(kMasterPrefix.size() + hex.size() + 1);
  text.append(kMasterPrefix).append(hex).append("\n");
  wipe(hex);
  return text;
}

std::optional<Secret> parse_master(std::string_view text) {
  if (!text.starts_with(kMasterPrefix) || !text.ends_with('\n')) return std::nullopt;
  auto octets = from_hex(text.substr(kMasterPrefix.size(), text.size() - kMasterPrefix.size() - 1));
  if (!octets || octets->size() != Secret::kSize) return std::nullopt;
  Secret key;
  std::memcpy(key.data(), octets->data(), Secret::kSize);
  wipe(*octets);
  return key;
}

std::string associated_text(const KeyInfo& info) {
  std::string text(kWrappedPrefix);
  if (info.kind == KeyInfo::Kind::log)
    text += fmt::format("log origin={}", info.origin);
  else
    text += fmt::format("day class={} day={:08}", info.retention_class, info.day);
  return text + fmt::format(" id={} master={}", hex_of(info.id), hex_of(info.master));
}

std::string wrapped_text(const WrappedKey& key) {
  return associated_text(key.info) + " sealed=" + to_hex(key.sealed) + "\n";
}

std::optional<WrappedKey> parse_wrapped(std::string_view text) {
  const std::string_view whole = text;
  if (!text.starts_with(kWrappedPrefix) || !text.ends_with('\n')) return std::nullopt;
  text = text.substr(kWrappedPrefix.size(), text.size() - kWrappedPrefix.size() - 1);
  WrappedKey key;
  if (!take_kind(text, key.info) || !take_id(text, "id", key.info.id) || !take_id(text, "master", key.info.master))
    return std::nullopt;
  const auto sealed = take_field(text, "sealed");
  const auto octets = sealed ? from_hex(*sealed) : std::nullopt;
  if (!octets) return std::nullopt;
  key.sealed = *octets;
  if (wrapped_text(key) != whole) return std::nullopt;
  return key;
}

}  // namespace chancery::journal
