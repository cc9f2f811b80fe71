/// Words and fixed values of Docker's JSON form of a definition.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "container/definition.h"

namespace mica::container {

inline constexpr std::int64_t kDefaultShmBytes = 64 << 20;

inline constexpr std::string_view kMountTypeWords[] = {"bind", "volume", "tmpfs", "image"};
inline std::string_view mount_type_word(MountRequest::Type type) { return kMountTypeWords[static_cast<int>(type)]; }

/// What containers do not see of /proc and /sys, and what they may only read.
inline constexpr std::array<std::string_view, 12> kMaskedPaths = {
    "/proc/asound",     "/proc/acpi",       "/proc/interrupts",  "/proc/kcore", "/proc/keys",    "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",  "/sys/firmware", "/sys/devices/virtual/powercap"};
inline constexpr std::array<std::string_view, 5> kReadOnlyPaths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

}  // namespace mica::container
