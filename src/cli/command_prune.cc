#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "engine/cache_entries.h"
#include "engine/interrupt.h"
#include "engine/networks.h"
#include "engine/prune_containers.h"
#include "engine/volumes.h"
#include "engine/prune_images.h"

namespace mica::cli {
namespace {

constexpr Flag kImageFlags[] = {
    {"all", 'a', "", "Remove all images, not just dangling ones"},
    {"filter", 0, "filter", "Provide filter values (e.g. \"until=<timestamp>\",\n\"label=<key>=<value>\")"},
    {"force", 'f', "", "Do not prompt for confirmation"},
};
constexpr Flag kContainerFlags[] = {
    {"filter", 0, "filter", "Provide filter values (e.g. \"until=<timestamp>\")"},
    {"force", 'f', "", "Do not prompt for confirmation"},
};
constexpr Flag kSystemFlags[] = {
    {"all", 'a', "", "Remove all images, not just dangling ones, and cache\nmounts"},
    {"filter", 0, "filter", "Provide filter values (e.g. \"label=<key>=<value>\")"},
    {"force", 'f', "", "Do not prompt for confirmation"},
    {"volumes", 0, "", "Prune anonymous volumes"},
};
constexpr Flag kBuilderFlags[] = {
    {"all", 'a', "", "Also remove cache mounts and records whose layers are\npart of images"},
    {"builder", 0, "string", "", "mica has one builder"},
    {"filter", 0, "filter", "Provide filter values: until, id, type (regular,\nexec.cachemount), description, shared, private, inuse"},
    {"force", 'f', "", "Do not prompt for confirmation"},
    {"keep-storage", 0, "bytes", "Same as --reserved-space"},
    {"max-used-space", 0, "bytes", "Maximum amount of disk space allowed to keep for cache"},
    {"min-free-space", 0, "bytes", "Target amount of free disk space after pruning"},
    {"reserved-space", 0, "bytes", "Amount of disk space always allowed to keep for cache"},
    {"verbose", 0, "", "Provide a more verbose output"},
};

constexpr std::string_view kLayersKept = "mica: note: other mica processes are at work; layers that nothing needs go with the next prune\n";

bool agreed(const Args& args, std::string_view warning) {
  return args.flag("force") || confirm(format("WARNING! {}\nAre you sure you want to continue?", warning));
}

Result<> print_section(const char* title, const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  return print(format("{}\n{}\n\n", title, join(lines, "\n")));
}

Result<> print_images(const engine::PrunedImages& pruned) {
  if (!pruned.removals.empty()) {
    TRY(print("Deleted Images:\n"));
    for (const auto& removal : pruned.removals) TRY(print(format("{}: {}\n", removal.untagged ? "untagged" : "deleted", removal.what)));
    TRY(print("\n"));
  }
  if (pruned.layers_kept) note(kLayersKept);
  return {};
}

Result<int> run_container(Context& context) {
  const Args& args = context.args;
  if (!agreed(args, "This will remove all stopped containers.")) return 0;
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto pruned = TRY(engine::prune_containers(*engine, args.list("filter"), interrupt.cancel()));
  TRY(print_section("Deleted Containers:", pruned.ids));
  TRY(print(format("Total reclaimed space: {}\n", human_size(pruned.bytes))));
  return 0;
}

Result<int> run_image(Context& context) {
  const Args& args = context.args;
  const bool all = args.flag("all");
  if (!agreed(args, all ? "This will remove all images." : "This will remove all dangling images.")) return 0;
  auto engine = TRY(engine::Engine::open(context.options));
  const auto pruned = TRY(engine::prune_images(*engine, {.all = all, .filters = args.list("filter")}));
  TRY(print_images(pruned));
  TRY(print(format("Total reclaimed space: {}\n", human_size(pruned.bytes))));
  return 0;
}

Result<std::optional<std::int64_t>> bytes_of(const Args& args, std::string_view flag) {
  if (!args.has(flag)) return std::optional<std::int64_t>();
  return std::optional(TRY(parse_size(args.text(flag))));
}

Result<int> run_builder(Context& context) {
  const Args& args = context.args;
  engine::PruneCache request{.all = args.flag("all"), .filters = args.list("filter")};
  request.max_used = TRY(bytes_of(args, "max-used-space"));
  request.min_free = TRY(bytes_of(args, "min-free-space"));
  request.reserved = TRY(bytes_of(args, args.has("keep-storage") ? "keep-storage" : "reserved-space"));
  if (!agreed(args, request.all ? "This will remove all build cache." : "This will remove all dangling build cache.")) return 0;
  auto engine = TRY(engine::Engine::open(context.options));
  const auto pruned = TRY(engine::prune_cache(*engine, request));
  std::string text;
  if (!pruned.removed.empty()) {
    text += "ID\t\t\t\t\t\tRECLAIMABLE\tSIZE\t\tLAST ACCESSED\n";
    for (const auto& entry : pruned.removed) text += format("{:<40}\ttrue\t{:<10}\t{}\n", entry.id, human_size(entry.bytes), ago(entry.used.ns));
  }
  TRY(print(text + format("Total:\t{}\n", human_size(pruned.bytes))));
  if (pruned.layers_kept) note(kLayersKept);
  return 0;
}

Result<int> run_system(Context& context) {
  const Args& args = context.args;
  const bool all = args.flag("all");
  std::string warning = "This will remove:\n  - all stopped containers\n  - all networks not used by at least one container\n";
  if (args.flag("volumes")) warning += "  - all anonymous volumes not used by at least one container\n";
  warning += "  - all ";
  warning += all ? "images\n  - all build cache\n" : "dangling images\n  - unused build cache\n";
  if (!agreed(args, warning)) return 0;
  auto engine = TRY(engine::Engine::open(context.options));
  std::vector<std::string> filters = args.list("filter"), until;
  for (const auto& filter : filters)
    if (filter.starts_with("until=")) until.push_back(filter);
  const auto interrupt = TRY(engine::Interrupt::install());
  const auto containers = TRY(engine::prune_containers(*engine, filters, interrupt.cancel()));
  TRY(print_section("Deleted Containers:", containers.ids));
  const auto networks = TRY(engine::prune_networks(*engine, {.filters = filters}, interrupt.cancel()));
  TRY(print_section("Deleted Networks:", networks));
  std::int64_t bytes = containers.bytes;
  if (args.flag("volumes")) {
    std::vector<std::string> of_volumes;   // volumes have no time that until could mean
    for (const auto& filter : filters)
      if (!filter.starts_with("until=")) of_volumes.push_back(filter);
    const auto volumes = TRY(engine::prune_volumes(*engine, {.filters = of_volumes}));
    TRY(print_section("Deleted Volumes:", volumes.names));
    bytes += volumes.bytes;
  }
  const auto images = TRY(engine::prune_images(*engine, {.all = all, .filters = filters}));
  TRY(print_images(images));
  bytes += images.bytes;
  // Build records carry no labels: with a label filter they stay.
  if (until.size() == filters.size()) {
    const auto cache = TRY(engine::prune_cache(*engine, {.all = all, .filters = until}));
    if (!cache.removed.empty()) {
      TRY(print("Deleted build cache objects:\n"));
      for (const auto& entry : cache.removed) TRY(print(entry.id + "\n"));
      TRY(print("\n"));
    }
    bytes += cache.bytes;
  }
  TRY(print(format("Total reclaimed space: {}\n", human_size(bytes))));
  return 0;
}

}  // namespace

constinit const Command kContainerPrune{
    .usage = "[OPTIONS]", .summary = "Remove all stopped containers", .aliases = {}, .flags = kContainerFlags, .least = 0, .most = 0, .run = run_container};
constinit const Command kImagePrune{.usage = "[OPTIONS]", .summary = "Remove unused images", .aliases = {}, .flags = kImageFlags, .least = 0, .most = 0, .run = run_image};
constinit const Command kBuilderPrune{
    .usage = "[OPTIONS]", .summary = "Remove build cache", .aliases = "mica builder prune, mica buildx prune", .flags = kBuilderFlags, .least = 0, .most = 0, .run = run_builder};
constinit const Command kSystemPrune{.usage = "[OPTIONS]", .summary = "Remove unused data", .aliases = {}, .flags = kSystemFlags, .least = 0, .most = 0, .run = run_system};

}  // namespace mica::cli
