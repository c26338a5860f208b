#pragma once
// Sign-ins in clear of line protocols that are no messengers: FTP (RFC 959), POP3 (RFC 1939), IMAP (RFC 9051), SMTP
// (RFC 4954). Only the client's lines are looked at; the user's name is told, the secret is never kept.
#include <memory>
#include <string_view>

#include "sensor/read/reading.h"

namespace chancery::sensor {

bool is_login_protocol(std::string_view name);  // "ftp", "pop3", "imap", "smtp"
// That of an application that the classifier named without a reader; empty: none.
std::string_view login_protocol_of(std::string_view application);

std::unique_ptr<FlowReader> make_login_reader(Reading& reading, const FlowView& flow, std::string_view protocol);

}  // namespace chancery::sensor
