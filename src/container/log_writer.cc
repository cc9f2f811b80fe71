#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "container/log_file.h"
#include "stream/compression.h"

namespace mica::container {
namespace {

constexpr std::size_t kLongestPiece = 16 << 10;
constexpr int kLevel = 1;

/// Nine digits always: that is what sorts and what Docker writes.
std::string log_time(Timestamp time) {
  const std::string text = rfc3339(time);
  return format("{}.{:09}Z", text.substr(0, 19), time.nanos());
}

}  // namespace

struct LogWriter::Impl {
  std::string path;
  LogOptions options;
  sys::Fd file;
  std::int64_t bytes = 0;
  std::string attributes;
  std::string rest[2];                      // of lines that have not ended

  std::string entry(int stream, std::string_view text) const {
    // The members' order is Docker's.
    std::string out = "{\"log\":" + json::write_for_html(json::Value(text)) + format(",\"stream\":\"{}\"", stream == 2 ? "stderr" : "stdout");
    if (!attributes.empty()) out += ",\"attrs\":" + attributes;
    return out + format(",\"time\":\"{}\"}}\n", log_time(now()));
  }

  Result<> write(const std::string& text) {
    if (options.max_bytes > 0 && bytes > 0 && bytes + static_cast<std::int64_t>(text.size()) > options.max_bytes) TRY(rotate());
    TRY(sys::write_all(file, text));
    bytes += static_cast<std::int64_t>(text.size());
    return {};
  }

  std::string rotated(int number) const { return format("{}.{}{}", path, number, options.compress ? ".gz" : ""); }

  Result<> rotate() {
    if (options.max_files <= 1) {
      if (::ftruncate(file.get(), 0) != 0) return fail_errno("emptying the log");
      bytes = 0;
      return {};
    }
    for (int i = options.max_files - 1; i > 1; --i)
      if (sys::exists(rotated(i - 1))) TRY(sys::rename(rotated(i - 1), rotated(i)));
    // Whoever follows keeps the renamed file open and reads it to its end.
    const std::string plain = path + ".1";
    TRY(sys::rename(path, plain));
    file = TRY(sys::open(path, O_WRONLY | O_APPEND | O_CREAT, 0640));
    bytes = 0;
    if (!options.compress) return {};
    TRY(compress(plain, rotated(1)));
    return sys::remove_file(plain);
  }

  static Result<> compress(const std::string& from, const std::string& to);
};

Result<> LogWriter::Impl::compress(const std::string& from, const std::string& to) {
  stream::FdSource source(TRY(sys::open(from, O_RDONLY)));
  stream::FdSink file(TRY(sys::open(to, O_WRONLY | O_CREAT | O_TRUNC, 0640)));
  const auto packed = TRY(stream::compress(file, stream::Compression::gzip, kLevel));
  TRY(stream::copy(source, *packed));
  return packed->finish();
}

LogWriter::LogWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogWriter::LogWriter(LogWriter&&) noexcept = default;
LogWriter::~LogWriter() = default;

Result<LogWriter> LogWriter::open(const std::string& path, LogOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->file = TRY(sys::open(path, O_WRONLY | O_APPEND | O_CREAT, 0640));
  const auto info = TRY(sys::stat_fd(impl->file));
  impl->bytes = info.st_size;
  json::Value attributes = json::Value::object();
  if (!options.tag.empty()) attributes.set("tag", options.tag);
  for (const auto& [key, value] : options.attributes) attributes.set(key, value);
  if (!attributes.as_object().empty()) impl->attributes = json::write(attributes);
  impl->options = std::move(options);
  return LogWriter(std::move(impl));
}

Result<> LogWriter::append(int stream, std::string_view bytes) {
  std::string& rest = impl_->rest[stream == 2];
  std::string out;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const std::size_t take = end == bytes.npos ? bytes.size() : end + 1;
    rest.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    while (rest.size() > kLongestPiece) {
      out += impl_->entry(stream, std::string_view(rest).substr(0, kLongestPiece));
      rest.erase(0, kLongestPiece);
    }
    if (rest.ends_with('\n')) {
      out += impl_->entry(stream, rest);
      rest.clear();
    }
  }
  return out.empty() ? Result<>() : impl_->write(out);
}

Result<> LogWriter::finish() {
  for (int stream : {1, 2}) {
    std::string& rest = impl_->rest[stream == 2];
    if (!rest.empty()) TRY(impl_->write(impl_->entry(stream, rest)));
    rest.clear();
  }
  return {};
}

}  // namespace mica::container
