/// The precompiled header: what nearly every file includes. Keep it to cheap, stable headers (see CONTRIBUTING.md).
#pragma once
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
