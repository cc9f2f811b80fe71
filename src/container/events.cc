#include "container/events.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/lock.h"
#include "task/task.h"

namespace mica::container {
namespace {

constexpr const char* kJournal = "/events";
constexpr const char* kOldJournal = "/events.1";
constexpr std::int64_t kMaxBytes = 16 << 20;
constexpr std::size_t kMaxJournal = 64 << 20, kChunk = 64 << 10;

json::Value to_json(const Event& event) {
  json::Object attributes;
  for (const auto& [key, value] : event.attributes) attributes.emplace_back(key, value);
  json::Value out = json::Value::object();
  if (event.type == "container" || event.type == "image") {
    out.set("status", event.action);
    out.set("id", event.id);
    for (const auto& [key, value] : event.attributes)
      if (key == "image" && event.type == "container") out.set("from", value);
  }
  out.set("Type", event.type);
  out.set("Action", event.action);
  out.set("Actor", json::Object{{"ID", event.id}, {"Attributes", json::Value(std::move(attributes))}});
  out.set("scope", "local");
  out.set("time", event.time.seconds());
  out.set("timeNano", event.time.ns);
  return out;
}

Result<> append(const std::string& root, const std::string& line) {
  auto file = TRY(sys::open(root + kJournal, O_WRONLY | O_APPEND | O_CREAT, 0600));
  const auto info = TRY(sys::stat_fd(file));
  if (info.st_size > kMaxBytes) {
    // Who reads follows the name; of several that find it too long, the first renames it.
    const auto lock = sys::FileLock::try_acquire(root + "/locks/events", sys::LockMode::exclusive);
    if (lock) TRY(sys::rename(root + kJournal, root + kOldJournal));
    file = TRY(sys::open(root + kJournal, O_WRONLY | O_APPEND | O_CREAT, 0600));
  }
  return sys::write_all(file, line);
}

struct Range {
  std::optional<Timestamp> since, until;
};
enum class Place { before, inside, after };

Place place_of(const json::Value& event, const Range& range) {
  const Timestamp time{event.int_or("timeNano")};
  if (range.since && time < *range.since) return Place::before;
  if (range.until && time > *range.until) return Place::after;
  return Place::inside;
}

/// Whole lines of `text`; what is left of the last one stays in it. Returns false when `until` was passed.
Result<bool> give_lines(std::string& text, const Range& range, const std::function<Result<>(const json::Value&)>& event) {
  std::size_t start = 0;
  for (std::size_t end; (end = text.find('\n', start)) != text.npos; start = end + 1) {
    const auto value = json::parse(std::string_view(text).substr(start, end - start));
    if (!value) continue;   // torn by a full disk
    const Place place = place_of(*value, range);
    if (place == Place::after) return false;
    if (place == Place::inside) TRY(event(*value));
  }
  text.erase(0, start);
  return true;
}

Result<> read_new(sys::Fd& file, std::string& text) {
  char buffer[kChunk];
  while (true) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("reading the journal of events");
    if (count == 0) return {};
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

int ms_until(const std::optional<Timestamp>& until) {
  if (!until) return -1;
  const std::int64_t left = (until->ns - now().ns) / 1'000'000 + 1;
  return left <= 0 ? 0 : static_cast<int>(std::min<std::int64_t>(left, 1'000'000));
}

}  // namespace

void record_event(const std::string& state_root, Event event) {
  if (event.time.ns == 0) event.time = now();
  if (auto done = append(state_root, json::write(to_json(event)) + "\n"); !done) log::debug("event: {}", done.error().text());
}

Result<> read_events(const std::string& state_root, std::optional<Timestamp> since, std::optional<Timestamp> until, const std::function<Result<>(const json::Value&)>& event,
                     int stop_fd) {
  const std::string path = state_root + kJournal;
  const Range range{since, until};
  sys::Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch) return fail_errno("watching the journal of events");
  auto file = TRY(sys::open(path, O_RDONLY | O_CREAT, 0600));
  if (::inotify_add_watch(watch.get(), path.c_str(), IN_MODIFY | IN_MOVE_SELF) < 0) return fail_errno("watching the journal of events");
  std::string text;
  if (since) {
    std::string old = sys::read_file(state_root + kOldJournal, kMaxJournal).value_or("");
    if (!TRY(give_lines(old, range, event))) return {};
  } else {
    ::lseek(file.get(), 0, SEEK_END);
  }
  while (true) {
    TRY(read_new(file, text));
    if (!TRY(give_lines(text, range, event))) return {};
    if (until && now() >= *until) return {};
    pollfd fds[] = {{watch.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    if (::poll(fds, 2, ms_until(until)) < 0 && errno != EINTR) return fail_errno("waiting for events");
    if (fds[1].revents) return {};
    alignas(inotify_event) char buffer[4096];
    bool moved = false;
    for (ssize_t count; (count = ::read(watch.get(), buffer, sizeof buffer)) > 0;)
      for (char* at = buffer; at < buffer + count;) {
        const auto* one = reinterpret_cast<const inotify_event*>(at);
        moved |= (one->mask & IN_MOVE_SELF) != 0;
        at += sizeof(inotify_event) + one->len;
      }
    if (!moved) continue;
    TRY(read_new(file, text));
    file = TRY(sys::open(path, O_RDONLY | O_CREAT, 0600));
    if (::inotify_add_watch(watch.get(), path.c_str(), IN_MODIFY | IN_MOVE_SELF) < 0) return fail_errno("watching the journal of events");
  }
}

}  // namespace mica::container
