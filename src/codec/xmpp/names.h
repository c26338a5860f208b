#pragma once
// The namespaces that this codec knows, by the specification each comes from.
#include <string_view>

namespace chancery::xmpp::ns {

using Name = std::string_view;

// RFC 6120, RFC 6121
inline constexpr Name kClient = "jabber:client";
inline constexpr Name kStream = "http://etherx.jabber.org/streams";
inline constexpr Name kTls = "urn:ietf:params:xml:ns:xmpp-tls";
inline constexpr Name kSasl = "urn:ietf:params:xml:ns:xmpp-sasl";
inline constexpr Name kBind = "urn:ietf:params:xml:ns:xmpp-bind";
inline constexpr Name kStreamErrors = "urn:ietf:params:xml:ns:xmpp-streams";
inline constexpr Name kStanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas";

// Sign-in
inline constexpr Name kSasl2 = "urn:xmpp:sasl:2";                                // XEP-0388
inline constexpr Name kChannelBinding = "urn:xmpp:sasl-cb:0";                    // XEP-0440
inline constexpr Name kInstantResumption = "https://xmpp.org/extensions/isr/0";  // XEP-0397
inline constexpr Name kCompressFeature = "http://jabber.org/features/compress";  // XEP-0138
inline constexpr Name kCompress = "http://jabber.org/protocol/compress";
inline constexpr Name kIqAuth = "jabber:iq:auth";           // XEP-0078
inline constexpr Name kRegister = "jabber:iq:register";     // XEP-0077
inline constexpr Name kStreamManagement = "urn:xmpp:sm:3";  // XEP-0198
inline constexpr Name kStreamManagementOld = "urn:xmpp:sm:2";

// Messages
inline constexpr Name kXhtmlIm = "http://jabber.org/protocol/xhtml-im";  // XEP-0071
inline constexpr Name kXhtml = "http://www.w3.org/1999/xhtml";
inline constexpr Name kDelay = "urn:xmpp:delay";        // XEP-0203
inline constexpr Name kLegacyDelay = "jabber:x:delay";  // XEP-0091
inline constexpr Name kForward = "urn:xmpp:forward:0";  // XEP-0297
inline constexpr Name kCarbons = "urn:xmpp:carbons:2";  // XEP-0280
inline constexpr Name kArchive1 = "urn:xmpp:mam:1";     // XEP-0313
inline constexpr Name kArchive2 = "urn:xmpp:mam:2";
inline constexpr Name kCorrect = "urn:xmpp:message-correct:0";     // XEP-0308
inline constexpr Name kRetract0 = "urn:xmpp:message-retract:0";    // XEP-0424 v0.3
inline constexpr Name kRetract1 = "urn:xmpp:message-retract:1";    // XEP-0424 v0.4
inline constexpr Name kFasten = "urn:xmpp:fasten:0";               // XEP-0422
inline constexpr Name kModerate0 = "urn:xmpp:message-moderate:0";  // XEP-0425
inline constexpr Name kModerate1 = "urn:xmpp:message-moderate:1";
inline constexpr Name kReactions = "urn:xmpp:reactions:0";                       // XEP-0444
inline constexpr Name kStanzaId = "urn:xmpp:sid:0";                              // XEP-0359
inline constexpr Name kAddresses = "http://jabber.org/protocol/address";         // XEP-0033
inline constexpr Name kRealTimeText = "urn:xmpp:rtt:0";                          // XEP-0301
inline constexpr Name kPubsubEvent = "http://jabber.org/protocol/pubsub#event";  // XEP-0060

// End-to-end encryption
inline constexpr Name kOmemoLegacy = "eu.siacs.conversations.axolotl";  // XEP-0384
inline constexpr Name kOmemo1 = "urn:xmpp:omemo:1";
inline constexpr Name kOmemo2 = "urn:xmpp:omemo:2";
inline constexpr Name kOpenPgpLegacy = "jabber:x:encrypted";     // XEP-0027
inline constexpr Name kOpenPgp = "urn:xmpp:openpgp:0";           // XEP-0373
inline constexpr Name kE2e = "urn:ietf:params:xml:ns:xmpp-e2e";  // RFC 3923
inline constexpr Name kEncryption = "urn:xmpp:eme:0";            // XEP-0380

// Rooms
inline constexpr Name kMuc = "http://jabber.org/protocol/muc";  // XEP-0045
inline constexpr Name kMucUser = "http://jabber.org/protocol/muc#user";
inline constexpr Name kConference = "jabber:x:conference";  // XEP-0249

// Files
inline constexpr Name kOob = "jabber:x:oob";  // XEP-0066
inline constexpr Name kOobIq = "jabber:iq:oob";
inline constexpr Name kUpload = "urn:xmpp:http:upload:0";                               // XEP-0363
inline constexpr Name kUploadOld = "urn:xmpp:http:upload";                              // XEP-0363 v0.2
inline constexpr Name kSi = "http://jabber.org/protocol/si";                            // XEP-0095
inline constexpr Name kSiFile = "http://jabber.org/protocol/si/profile/file-transfer";  // XEP-0096
inline constexpr Name kIbb = "http://jabber.org/protocol/ibb";                          // XEP-0047
inline constexpr Name kBytestreams = "http://jabber.org/protocol/bytestreams";          // XEP-0065
inline constexpr Name kJingle = "urn:xmpp:jingle:1";                                    // XEP-0166
inline constexpr Name kJingleFilePrefix = "urn:xmpp:jingle:apps:file-transfer:";        // XEP-0234, :3 to :5
inline constexpr Name kHashesPrefix = "urn:xmpp:hashes:";                               // XEP-0300
inline constexpr Name kSims = "urn:xmpp:sims:1";                                        // XEP-0385
inline constexpr Name kSfs = "urn:xmpp:sfs:0";                                          // XEP-0447
inline constexpr Name kFileMetadata = "urn:xmpp:file:metadata:0";                       // XEP-0446
inline constexpr Name kUrlData = "http://jabber.org/protocol/url-data";                 // XEP-0103
inline constexpr Name kDataForm = "jabber:x:data";                                      // XEP-0004

}  // namespace chancery::xmpp::ns
