#pragma once
// Hyperscan behind one adapter: many literal strings are looked for at once, in one block of text.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/bytes.h"

struct hs_database;
struct hs_scratch;

namespace chancery::policy {

class Database {
 public:
  // Working memory of one scan: used by one thread at a time, for the database that made it.
  class Scratch {
   public:
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

   private:
    friend class Database;
    explicit Scratch(hs_scratch* scratch) : scratch_(scratch) {}
    hs_scratch* scratch_;
  };

  // Slow for many literals (seconds for 100,000). Throws std::runtime_error. No literal is empty.
  static Database build(std::span<const std::string> literals);
  // What `serialize` made, if it is whole and made by this version of Hyperscan for a processor like this one.
  static std::optional<Database> restore(Bytes octets);
  Buffer serialize() const;
  static std::string library_version();  // [0-9.]+

  std::unique_ptr<Scratch> make_scratch() const;

  // Calls `hit(context, id, end)` for each place where literal `id` ends at octet `end`, all places of all literals.
  using Hit = void (*)(void* context, std::uint32_t id, std::uint32_t end);
  void scan(std::string_view text, Scratch& scratch, Hit hit, void* context) const;

 private:
  struct Free {
    void operator()(hs_database* database) const;
  };
  explicit Database(hs_database* database) : database_(database) {}
  std::unique_ptr<hs_database, Free> database_;
};

}  // namespace chancery::policy
