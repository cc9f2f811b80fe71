/// Reading a directory with getdents64 into a caller's buffer: no DIR, no allocation for each entry.
#pragma once
#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace mica::sys {

struct Entry {
  std::string_view name;  ///< valid until the next call; zero-terminated
  unsigned char type;     ///< DT_DIR, DT_REG, ..., DT_UNKNOWN
};

class EntryReader {
 public:
  explicit EntryReader(int fd) : fd_(fd) {}
  /// False at the end and on failure; then failed() tells which, with errno set.
  bool next(Entry& entry) {
    while (true) {
      while (at_ < filled_) {
        const auto* record = reinterpret_cast<const Record*>(buffer_ + at_);
        at_ += record->length;
        entry = {record->name, record->type};
        if (entry.name != "." && entry.name != "..") return true;
      }
      const long n = ::syscall(SYS_getdents64, fd_, buffer_, sizeof buffer_);
      failed_ = n < 0;
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      at_ = 0;
      filled_ = n;
    }
  }
  bool failed() const { return failed_; }

 private:
  struct Record {
    unsigned long inode;
    long offset;
    unsigned short length;
    unsigned char type;
    char name[1];
  };
  int fd_;
  bool failed_ = false;
  long at_ = 0, filled_ = 0;
  alignas(8) char buffer_[32 << 10];
};

}  // namespace mica::sys
