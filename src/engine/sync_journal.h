/// The journal of `sync`: what has been done in a run, so that one that is broken off is continued and not begun again. JSON, a line each:
///
///   version 1
///   {"event":"begin","version":1,"time":T,"list":SHA256}    LIST: of all that decides what is to be done
///   {"event":"done","time":T,"from":...,"to":...,"status":"copied"|"unchanged","digest":...,"bytes":N}
///   {"event":"failed","time":T,"from":...,"to":...,"error":...}
///   {"event":"end","time":T,"failed":N}                     the run has been through the whole list
///
/// Each line is synced before the next image is begun on its account. A last line without its end is what a crash left: it is dropped. After "end",
/// and for another list, a run begins a new journal: tags move, so what was right yesterday has to be looked at again today.
#pragma once
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/error.h"
#include "json/json.h"
#include "sys/fd.h"
#include "sys/lock.h"

namespace mica::engine {

class SyncJournal {
 public:
  /// Errors: conflict (another process has it), corrupt (it is another file), those of the file.
  static Result<std::unique_ptr<SyncJournal>> open(const std::string& path, const std::string& list);
  /// The run that is being continued has done this.
  bool has_done(const std::string& from, const std::string& to) const { return done_.contains({from, to}); }
  bool is_continued() const { return !done_.empty(); }
  /// Thread-safe.
  Result<> add(json::Value event);

 private:
  SyncJournal(sys::FileLock lock, sys::Fd file) : lock_(std::move(lock)), file_(std::move(file)) {}
  Result<> read(const std::string& path, const std::string& list);
  sys::FileLock lock_;
  sys::Fd file_;
  std::set<std::pair<std::string, std::string>> done_;
  std::mutex mutex_;
};

}  // namespace mica::engine
