#include "engine/sync_journal.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"

namespace mica::engine {
namespace {
constexpr int kVersion = 1;
}

Result<std::unique_ptr<SyncJournal>> SyncJournal::open(const std::string& path, const std::string& list) {
  auto made = TRY(sys::open(path, O_CREAT | O_RDWR | O_APPEND, 0644));
  auto lock = TRY(sys::FileLock::try_acquire(path, sys::LockMode::exclusive));
  std::unique_ptr<SyncJournal> journal(new SyncJournal(std::move(lock), std::move(made)));
  TRY(journal->read(path, list));
  return journal;
}

Result<> SyncJournal::read(const std::string& path, const std::string& list) {
  const std::string text = TRY(sys::read_file(path));
  bool goes_on = false;
  std::size_t whole = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    if (end == text.npos) break;
    const auto line = json::parse(std::string_view(text).substr(at, end - at));
    const std::string event = line ? line->string_or("event") : "";
    if (event.empty() || (at == 0 && event != "begin")) return failf(Errc::corrupt, "{} is no journal of sync: it is left as it is", quoted(path));
    if (event == "begin") {
      if (line->int_or("version") > kVersion) return failf(Errc::unsupported, "the journal {} is of a newer version ({})", quoted(path), line->int_or("version"));
      goes_on = line->string_or("list") == list;
    }
    if (event == "done") done_.emplace(line->string_or("from"), line->string_or("to"));
    if (event == "end") goes_on = false;
    at = whole = end + 1;
  }
  if (!text.empty() && whole == 0) return failf(Errc::corrupt, "{} is no journal of sync: it is left as it is", quoted(path));
  if (!goes_on) {
    done_.clear();
    whole = 0;
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(whole)) != 0) return fail_errno(format("shortening {}", path));
  if (goes_on) return {};
  json::Value begin = json::Value::object();
  begin.set("event", "begin");
  begin.set("version", kVersion);
  begin.set("list", list);
  return add(std::move(begin));
}

Result<> SyncJournal::add(json::Value event) {
  event.set("time", rfc3339(now()));
  const std::string line = json::write(event) + "\n";
  const std::lock_guard guard(mutex_);
  TRY(sys::write_all(file_, line));
  return sys::sync(file_);
}

}  // namespace mica::engine
