#pragma once
// Capture files: pcap (micro- and nanoseconds, either byte order) and pcapng, plain or gzipped. Read by code of our own
// because libpcap takes no gzip, no pcapng file of several link types, and reads each record by two calls; formats are
// draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. One pass, one buffer; no limit on a file's length.
#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "sensor/capture/frame.h"

namespace chancery::sensor {

inline constexpr std::uint32_t kFrameMax = 262'144;     // captured octets of one frame; libpcap's own bound
inline constexpr std::uint32_t kInterfacesMax = 4'096;  // of one pcapng section; frames of later ones are skipped
// A gzipped capture that expands more than this is no capture (deflate's own limit is 1,032).
inline constexpr std::uint64_t kGzipRatioMax = 400;
inline constexpr std::uint64_t kGzipFreeBytes = 64ULL * 1024 * 1024;  // expanded octets before the ratio counts

class ByteSource;  // octets of a plain or a gzipped file

class CaptureFile {
 public:
  // "-" is standard input. The error is a sentence that names the file.
  static std::expected<CaptureFile, std::string> open(const std::string& path);
  // Octets from elsewhere; `name` is for the error's sentence.
  static std::expected<CaptureFile, std::string> read(const std::string& name, std::unique_ptr<ByteSource> source,
                                                      std::uint64_t size);
  ~CaptureFile();
  CaptureFile(CaptureFile&&) noexcept;
  CaptureFile& operator=(CaptureFile&&) noexcept;

  // False at the end, be it the file's own or where it cannot be read further: then `fault` says why.
  bool next(Frame& frame);

  const std::string& fault() const { return fault_; }  // empty: read to its end
  std::uint64_t skipped() const { return skipped_; }   // records that hold no frame that can be read
  std::uint64_t consumed() const;                      // octets of the file itself
  std::uint64_t size() const { return size_; }         // likewise; 0: not known (a pipe)

 private:
  enum class Format : std::uint8_t { pcap, pcapng };
  struct Interface {
    std::uint32_t link_type = 0;
    std::uint32_t snap_length = 0;
    std::uint64_t ticks_per_second = 1'000'000;
    std::int64_t offset_seconds = 0;
  };

  CaptureFile(std::unique_ptr<ByteSource> source, std::uint64_t size);
  bool read_header();
  bool next_pcap(Frame& frame);
  bool next_block(Frame& frame);
  bool read_section(Bytes block);
  void read_interface(Bytes body);
  bool read_enhanced(Bytes body, bool obsolete, Frame& frame);
  bool read_simple(Bytes body, Frame& frame);
  bool fill(std::size_t size);  // makes `size` octets available in the buffer; false: there are not so many
  bool stop(std::string why);
  bool ended(std::size_t wanted);
  Bytes available() const { return Bytes{buffer_.get() + begin_, end_ - begin_}; }
  std::uint16_t u16(Bytes at) const;
  std::uint32_t u32(Bytes at) const;
  std::uint64_t u64(Bytes at) const;

  std::unique_ptr<ByteSource> source_;
  std::uint64_t size_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::size_t consume_next_ = 0;  // octets of the frame that was given out last
  Format format_ = Format::pcap;
  bool swapped_ = false;
  bool nanoseconds_ = false;
  std::uint32_t link_type_ = 0;
  std::vector<Interface> interfaces_;
  std::uint64_t skipped_ = 0;
  std::string fault_;
};

}  // namespace chancery::sensor
