#include "cli/transfer_progress.h"

#include <unistd.h>

#include <map>
#include <mutex>
#include <vector>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"

namespace mica::cli {
namespace {
constexpr std::int64_t kRedrawNs = 100'000'000;
constexpr int kBarColumns = 50;

std::string bar(std::int64_t done, std::int64_t total) {
  const int filled = static_cast<int>(std::min<std::int64_t>(done, total) * kBarColumns / total);
  return format("[{}>{}]  {}/{}", std::string(static_cast<std::size_t>(filled), '='), std::string(static_cast<std::size_t>(kBarColumns - filled), ' '), human_size(done), human_size(total));
}
}  // namespace

struct TransferProgress::Impl {
  struct Line {
    int row = 0;                          ///< counted from the first line drawn
    std::string status;
    std::int64_t drawn_ns = 0;
  };
  bool quiet = false, terminal = false;
  std::mutex mutex;
  std::map<std::string, Line> lines;
  int rows = 0;

  void on(const engine::TransferEvent& event) {
    const std::lock_guard lock(mutex);
    if (event.id.empty()) return note(event.status + "\n");
    if (quiet) return;
    const auto [found, is_new] = lines.try_emplace(event.id);
    Line& line = found->second;
    const bool moved = is_new || line.status != event.status;
    if (!terminal) {
      if (!moved) return;
      line.status = event.status;
      (void)print(format("{}: {}\n", event.id, event.status));
      return;
    }
    const std::int64_t now_ns = monotonic_ns();
    if (!moved && now_ns - line.drawn_ns < kRedrawNs) return;
    line.status = event.status;
    line.drawn_ns = now_ns;
    if (is_new) {
      line.row = rows++;
      (void)print("\n");
    }
    const std::string tail = event.total > 0 ? " " + bar(event.done, event.total) : "";
    const int up = rows - line.row;
    (void)print(format("\x1b[{}A\r\x1b[2K{}: {}{}\x1b[{}B\r", up, event.id, event.status, tail, up));
  }
};

TransferProgress::TransferProgress(bool quiet) : impl_(std::make_unique<Impl>()) {
  impl_->quiet = quiet;
  impl_->terminal = ::isatty(STDOUT_FILENO);
}
TransferProgress::~TransferProgress() = default;

engine::TransferEvents TransferProgress::events() {
  return [this](const engine::TransferEvent& event) { impl_->on(event); };
}

void TransferProgress::settle() {
  const std::lock_guard lock(impl_->mutex);
  impl_->lines.clear();
  impl_->rows = 0;
}

}  // namespace mica::cli
