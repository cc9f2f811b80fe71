// Reads a log that may still be written and rotated. The last lines are found from the end, so that `logs --tail 10` of a large log is quick.
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "container/log_file.h"
#include "json/json.h"
#include "stream/compression.h"
#include "task/task.h"

namespace mica::container {
namespace {

constexpr std::size_t kChunk = 64 << 10, kMaxFile = std::size_t{1} << 31;
constexpr int kMostFiles = 1000, kLookMs = 200;

std::optional<LogLine> parse_line(std::string_view text) {
  const auto value = json::parse(text);
  if (!value || !value->is_object()) return std::nullopt;
  const auto time = parse_rfc3339(value->string_or("time"));
  LogLine line{.stream = value->string_or("stream") == "stderr" ? 2 : 1, .time = time.value_or(Timestamp{}), .text = value->string_or("log"), .attributes = {}};
  if (const json::Value* attributes = value->find("attrs"); attributes && attributes->is_object()) {
    std::vector<std::string> words;
    for (const auto& [key, word] : attributes->as_object()) words.push_back(key + "=" + (word.is_string() ? word.as_string() : ""));
    std::sort(words.begin(), words.end());
    line.attributes = join(words, ",");
  }
  return line;
}

class Reader {
 public:
  Reader(const std::string& path, const LogRequest& request, const std::function<Result<>(const LogLine&)>& give) : path_(path), request_(request), give_(give) {}

  Result<> run(const std::function<bool()>& ended, int stop_fd) {
    sys::Fd watch;
    if (request_.follow) {
      watch = sys::Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
      if (!watch) return fail_errno("watching the log");
    }
    auto file = sys::open(path_, O_RDONLY);
    if (!file && file.error().code() != Errc::not_found) return fail(std::move(file).error());
    if (file) {
      TRY(give_old_files());
      if (request_.tail >= 0) TRY(seek_tail(*file));
      TRY(give_new(*file));
    }
    if (!request_.follow) return {};
    return follow(file ? std::move(*file) : sys::Fd(), watch, ended, stop_fd);
  }

 private:
  /// Rotated files, oldest first; with a tail only as many of their lines as the newest file lacks.
  Result<> give_old_files() {
    std::vector<std::string> texts;
    std::int64_t lacking = request_.tail;
    if (lacking >= 0) lacking -= count_lines(sys::read_file(path_, kMaxFile).value_or(""), lacking);
    for (int i = 1; i < kMostFiles && (request_.tail < 0 || lacking > 0); ++i) {
      auto text = read_old(i);
      if (!text) break;
      if (request_.tail >= 0) {
        const std::string_view last = last_lines(*text, lacking);
        lacking -= std::count(last.begin(), last.end(), '\n');
        text = std::string(last);
      }
      texts.push_back(std::move(*text));
    }
    for (auto text = texts.rbegin(); text != texts.rend(); ++text) {
      buffer_ = std::move(*text);
      TRY(give_lines());
      buffer_.clear();
    }
    return {};
  }

  std::optional<std::string> read_old(int number) const {
    const std::string plain = format("{}.{}", path_, number);
    if (auto text = sys::read_file(plain, kMaxFile)) return std::move(*text);
    auto packed = sys::open(plain + ".gz", O_RDONLY);
    if (!packed) return std::nullopt;
    stream::FdSource source(std::move(*packed));
    auto unpacked = stream::decompress(source, stream::Compression::gzip);
    if (!unpacked) return std::nullopt;
    auto text = stream::read_all(**unpacked, kMaxFile);
    if (!text) return std::nullopt;
    return std::move(*text);
  }

  static std::int64_t count_lines(const std::string& text, std::int64_t enough) { return std::min<std::int64_t>(std::count(text.begin(), text.end(), '\n'), enough); }

  static std::string_view last_lines(std::string_view text, std::int64_t lines) {
    std::size_t at = text.size();
    while (lines > 0 && at > 0) {
      const auto before = at >= 2 ? text.rfind('\n', at - 2) : text.npos;
      at = before == text.npos ? 0 : before + 1;
      --lines;
    }
    return text.substr(at);
  }

  /// Goes to where the last lines begin, reading from the end.
  Result<> seek_tail(const sys::Fd& file) {
    const auto info = TRY(sys::stat_fd(file));
    std::int64_t left = request_.tail, at = info.st_size;
    std::string chunk;
    while (at > 0) {
      const std::int64_t size = std::min<std::int64_t>(at, kChunk);
      chunk.resize(static_cast<std::size_t>(size));
      if (::pread(file.get(), chunk.data(), chunk.size(), at - size) != size) return fail_errno("reading the log");
      for (std::int64_t i = size - 1; i >= 0; --i) {
        // The last byte ends the last line; it does not begin one more.
        if (chunk[static_cast<std::size_t>(i)] != '\n' || at - size + i == info.st_size - 1) continue;
        if (--left <= 0) return seek(file, request_.tail == 0 ? info.st_size : at - size + i + 1);
      }
      at -= size;
    }
    return seek(file, request_.tail == 0 ? info.st_size : 0);
  }

  static Result<> seek(const sys::Fd& file, std::int64_t to) {
    if (::lseek(file.get(), to, SEEK_SET) < 0) return fail_errno("reading the log");
    return {};
  }

  Result<> give_new(const sys::Fd& file) {
    char chunk[kChunk];
    while (!over_) {
      const ssize_t count = ::read(file.get(), chunk, sizeof chunk);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail_errno("reading the log");
      if (count == 0) return {};
      buffer_.append(chunk, static_cast<std::size_t>(count));
      TRY(give_lines());
    }
    return {};
  }

  Result<> give_lines() {
    std::size_t start = 0;
    for (std::size_t end; !over_ && (end = buffer_.find('\n', start)) != buffer_.npos; start = end + 1) TRY(give_one(std::string_view(buffer_).substr(start, end - start)));
    buffer_.erase(0, start);
    return {};
  }

  Result<> give_one(std::string_view text) {
    const auto line = parse_line(text);
    if (!line) {
      log::debug("a line of the log {} is no JSON", path_);
      return {};
    }
    if (request_.until && line->time > *request_.until) {
      over_ = true;
      return {};
    }
    if (request_.since && line->time < *request_.since) return {};
    if (line->stream == 2 ? !request_.err : !request_.out) return {};
    return give_(*line);
  }

  Result<> follow(sys::Fd file, const sys::Fd& watch, const std::function<bool()>& ended, int stop_fd) {
    bool watched = false;
    while (!over_) {
      // Asked before the file is read: what was written until the end is there then.
      const bool last = ended && ended();
      if (!watched) watched = ::inotify_add_watch(watch.get(), path_.c_str(), IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF) >= 0;
      if (!file)
        if (auto opened = sys::open(path_, O_RDONLY)) file = std::move(*opened);
      if (file) {
        TRY(start_over_when_emptied(file));
        TRY(give_new(file));
        if (TRY(give_rotated(file))) watched = false;
      }
      if (last || over_) return {};
      if (request_.until && now() > *request_.until) return {};
      pollfd fds[] = {{watch.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
      ::poll(fds, 2, kLookMs);
      if (fds[1].revents) return {};
      if (take_moves(watch)) watched = false;
    }
    return {};
  }

  /// When the file that was read is not the one that is written now: what came between, and on with that. Several rotations may have happened, and more may happen meanwhile;
  /// which file is which is told by its inode, never by its name. True when there was one.
  Result<bool> give_rotated(sys::Fd& file) {
    bool any = false;
    while (!over_) {
      auto fresh = sys::open(path_, O_RDONLY);
      if (!fresh) return any;   // in the middle of a rotation: the next look finds it
      const auto old_info = TRY(sys::stat_fd(file)), new_info = TRY(sys::stat_fd(*fresh));
      if (old_info.st_ino == new_info.st_ino) return any;
      any = true;
      TRY(give_new(file));      // its last lines, written before it was moved
      std::vector<sys::Fd> between;
      for (int i = 1; i < kMostFiles; ++i) {
        auto one = sys::open(format("{}.{}", path_, i), O_RDONLY);
        if (!one) break;
        const auto info = TRY(sys::stat_fd(*one));
        if (info.st_ino == old_info.st_ino) break;
        if (info.st_ino == new_info.st_ino) between.clear();   // moved since it was opened: those before it are newer
        else between.push_back(std::move(*one));
      }
      for (auto one = between.rbegin(); one != between.rend(); ++one) TRY(give_new(*one));
      file = std::move(*fresh);
      TRY(give_new(file));
    }
    return any;
  }

  static Result<> start_over_when_emptied(const sys::Fd& file) {
    const auto info = TRY(sys::stat_fd(file));
    if (::lseek(file.get(), 0, SEEK_CUR) > info.st_size) return seek(file, 0);
    return {};
  }

  static bool take_moves(const sys::Fd& watch) {
    alignas(inotify_event) char buffer[4096];
    bool moved = false;
    for (ssize_t count; (count = ::read(watch.get(), buffer, sizeof buffer)) > 0;)
      for (char* at = buffer; at < buffer + count;) {
        const auto* one = reinterpret_cast<const inotify_event*>(at);
        moved |= (one->mask & (IN_MOVE_SELF | IN_DELETE_SELF)) != 0;
        at += sizeof(inotify_event) + one->len;
      }
    return moved;
  }

  const std::string& path_;
  const LogRequest& request_;
  const std::function<Result<>(const LogLine&)>& give_;
  std::string buffer_;
  bool over_ = false;
};

}  // namespace

Result<> read_log(const std::string& path, const LogRequest& request, const std::function<Result<>(const LogLine&)>& line, const std::function<bool()>& ended, int stop_fd) {
  return Reader(path, request, line).run(ended, stop_fd);
}

}  // namespace mica::container
