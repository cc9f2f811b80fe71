#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "engine/disk_usage.h"

namespace mica::cli {
namespace {

constexpr Flag kDfFlags[] = {
    {"format", 0, "string", kFormatHelp},
    {"verbose", 'v', "", "Show detailed information on space usage"},
};
constexpr Flag kDuFlags[] = {
    {"builder", 0, "string", "", "mica has one builder"},
    {"filter", 0, "filter", "Provide filter values: until, id, type (regular,\nexec.cachemount), description, shared, private, inuse"},
    {"format", 0, "string", kFormatHelp},
    {"verbose", 0, "", "Show also type, description and creation"},
};
constexpr Column kDfColumns[] = {{"Active", "ACTIVE"}, {"Reclaimable", "RECLAIMABLE"}, {"Size", "SIZE"}, {"TotalCount", "TOTAL"}, {"Type", "TYPE"}};
constexpr Column kImageColumns[] = {{"Containers", "CONTAINERS"}, {"CreatedSince", "CREATED"}, {"ID", "IMAGE ID"}, {"Repository", "REPOSITORY"},
                                    {"SharedSize", "SHARED SIZE"}, {"Size", "SIZE"}, {"Tag", "TAG"}, {"UniqueSize", "UNIQUE SIZE"}};
constexpr std::size_t kShortDigits = 12, kCommandWidth = 20;
constexpr Column kContainerColumns[] = {{"Command", "COMMAND"}, {"ID", "CONTAINER ID"}, {"Image", "IMAGE"}, {"LocalVolumes", "LOCAL VOLUMES"},
                                        {"Names", "NAMES"}, {"RunningFor", "CREATED"}, {"Size", "SIZE"}, {"Status", "STATUS"}};
constexpr Column kVolumeColumns[] = {{"Links", "LINKS"}, {"Name", "VOLUME NAME"}, {"Size", "SIZE"}};
constexpr Column kCacheColumns[] = {{"CacheType", "CACHE TYPE"}, {"CreatedAt", "CREATED AT"}, {"CreatedSince", "CREATED"}, {"Description", "DESCRIPTION"},
                                    {"ID", "ID"}, {"InUse", "IN USE"}, {"LastUsedAt", "LAST USED AT"}, {"LastUsedSince", "LAST USED"},
                                    {"Reclaimable", "RECLAIMABLE"}, {"Shared", "SHARED"}, {"Size", "SIZE"}};

json::Value df_row(std::string_view type, std::size_t total, std::size_t active, std::int64_t bytes, std::int64_t reclaimable) {
  json::Value row = json::Value::object();
  row.set("Active", std::to_string(active));
  row.set("Reclaimable", bytes > 0 && type != "Build Cache" ? format("{} ({}%)", human_size(reclaimable), reclaimable * 100 / bytes) : human_size(reclaimable));
  row.set("Size", human_size(bytes));
  row.set("TotalCount", std::to_string(total));
  row.set("Type", type);
  return row;
}

json::Value cache_row(const engine::CacheEntry& entry) {
  json::Value row = json::Value::object();
  row.set("CacheType", entry.type);
  row.set("CreatedAt", rfc3339(entry.created));
  row.set("CreatedSince", ago(entry.created.ns));
  row.set("Description", entry.description);
  row.set("ID", entry.id.substr(0, 25));
  row.set("InUse", entry.in_use ? "true" : "false");
  row.set("LastUsedAt", rfc3339(entry.used));
  row.set("LastUsedSince", ago(entry.used.ns));
  row.set("Reclaimable", entry.in_use || entry.shared ? "false" : "true");
  row.set("Shared", entry.shared ? "true" : "false");
  row.set("Size", human_size(entry.bytes));
  return row;
}

json::Value image_row(const engine::ImageUsage& usage) {
  const auto& names = usage.image.names;
  json::Value row = json::Value::object();
  row.set("Containers", std::to_string(usage.containers));
  row.set("CreatedSince", ago(usage.image.image.created.ns));
  row.set("ID", usage.image.image.id.digest.short_hex());
  row.set("Repository", names.empty() ? "<none>" : names[0].familiar_name());
  row.set("SharedSize", human_size(usage.shared));
  row.set("Size", human_size(usage.image.image.bytes));
  row.set("Tag", names.empty() ? "<none>" : names[0].tag);
  row.set("UniqueSize", human_size(usage.unique));
  return row;
}

std::vector<json::Value> cache_rows(const std::vector<engine::CacheEntry>& entries) {
  std::vector<json::Value> rows;
  for (const auto& entry : entries) rows.push_back(cache_row(entry));
  return rows;
}

std::vector<json::Value> container_rows(const engine::DiskUsage& usage) {
  std::vector<json::Value> rows;
  for (const auto& one : usage.containers) {
    std::size_t volumes = 0;
    for (const auto& point : one.definition->mount_points) volumes += point.driver == "local";
    rows.push_back(json::Object{{"Command", quoted(ellipsis(one.row.command, kCommandWidth))}, {"ID", one.row.id.substr(0, kShortDigits)}, {"Image", one.image},
                                {"LocalVolumes", std::to_string(volumes)}, {"Names", one.row.name}, {"RunningFor", ago(one.row.created.ns)}, {"Size", human_size(one.size)},
                                {"Status", engine::status_text(one.row.state)}});
  }
  return rows;
}

std::vector<json::Value> volume_rows(const engine::DiskUsage& usage) {
  std::vector<json::Value> rows;
  for (const auto& one : usage.volumes)
    rows.push_back(json::Object{{"Links", std::to_string(one.links)}, {"Name", one.volume.name}, {"Size", human_size(one.bytes)}});
  return rows;
}

Result<> print_details(const engine::DiskUsage& usage, const std::string& format_text) {
  std::vector<json::Value> images;
  for (const auto& image : usage.images) images.push_back(image_row(image));
  const std::vector<json::Value> cache = cache_rows(usage.cache);
  if (!format_text.empty()) {
    json::Value all = json::Value::object();
    all.set("Images", json::Array(images.begin(), images.end()));
    const auto containers = container_rows(usage), volumes = volume_rows(usage);
    all.set("Containers", json::Array(containers.begin(), containers.end()));
    all.set("Volumes", json::Array(volumes.begin(), volumes.end()));
    all.set("BuildCache", json::Array(cache.begin(), cache.end()));
    const std::string text = TRY(render_one(format_text, all, "formatter.diskUsageContext"));
    return print(text);
  }
  const ListStyle image_style{.table = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}",
                              .columns = kImageColumns, .type_name = "*formatter.diskUsageImageContext"};
  const ListStyle cache_style{.table = "table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.Shared}}",
                              .columns = kCacheColumns, .type_name = "*formatter.buildCacheContext"};
  const std::string image_table = TRY(render_list(image_style, "", images));
  const std::string cache_table = TRY(render_list(cache_style, "", cache));
  const ListStyle container_style{.table = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}",
                                  .columns = kContainerColumns, .type_name = "*formatter.ContainerContext"};
  const ListStyle volume_style{.table = "table {{.Name}}\t{{.Links}}\t{{.Size}}", .columns = kVolumeColumns, .type_name = "*formatter.volumeContext"};
  const std::string container_table = TRY(render_list(container_style, "", container_rows(usage)));
  const std::string volume_table = TRY(render_list(volume_style, "", volume_rows(usage)));
  return print(format("Images space usage:\n\n{}\nContainers space usage:\n\n{}\nLocal Volumes space usage:\n\n{}\nBuild cache usage: {}\n\n{}\n", image_table, container_table, volume_table,
                      human_size(usage.cache_bytes), cache_table));
}

Result<int> run_df(Context& context) {
  const Args& args = context.args;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto usage = TRY(engine::disk_usage(*engine));
  if (args.flag("verbose")) {
    TRY(print_details(usage, args.text("format")));
    return 0;
  }
  std::size_t used_images = 0, running = 0, used_volumes = 0;
  std::int64_t container_bytes = 0, idle_container_bytes = 0, volume_bytes = 0, idle_volume_bytes = 0;
  for (const auto& image : usage.images) used_images += image.containers > 0;
  for (const auto& one : usage.containers) {
    const bool runs = one.row.state.pid != 0;
    running += runs;
    container_bytes += one.size;
    if (!runs) idle_container_bytes += one.size;
  }
  for (const auto& one : usage.volumes) {
    used_volumes += one.links > 0;
    volume_bytes += one.bytes;
    if (one.links == 0) idle_volume_bytes += one.bytes;
  }
  const std::vector<json::Value> rows = {df_row("Images", usage.images.size(), used_images, usage.image_bytes, usage.image_bytes - usage.used_image_bytes),
                                         df_row("Containers", usage.containers.size(), running, container_bytes, idle_container_bytes),
                                         df_row("Local Volumes", usage.volumes.size(), used_volumes, volume_bytes, idle_volume_bytes),
                                         df_row("Build Cache", usage.cache.size(), 0, usage.cache_bytes, usage.cache_bytes)};
  const ListStyle style{.table = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}", .columns = kDfColumns,
                        .type_name = "*formatter.diskUsageContext"};
  const std::string text = TRY(render_list(style, args.text("format"), rows));
  TRY(print(text));
  return 0;
}

Result<int> run_du(Context& context) {
  const Args& args = context.args;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto entries = TRY(engine::cache_entries(*engine, args.list("filter")));
  const ListStyle style{.table = args.flag("verbose") ? "table {{.ID}}\t{{.CacheType}}\t{{.Reclaimable}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.Description}}"
                                                      : "table {{.ID}}\t{{.Reclaimable}}\t{{.Size}}\t{{.LastUsedSince}}",
                        .columns = kCacheColumns, .type_name = "*formatter.buildCacheContext"};
  std::string text = TRY(render_list(style, args.text("format"), cache_rows(entries)));
  if (!args.has("format")) {
    std::int64_t shared = 0, own = 0, reclaimable = 0;
    for (const auto& entry : entries) {
      (entry.shared ? shared : own) += entry.bytes;
      if (!entry.shared && !entry.in_use) reclaimable += entry.bytes;
    }
    if (shared > 0) text += format("Shared:\t\t{}\nPrivate:\t{}\n", human_size(shared), human_size(own));
    text += format("Reclaimable:\t{}\nTotal:\t\t{}\n", human_size(reclaimable), human_size(shared + own));
  }
  TRY(print(text));
  return 0;
}

}  // namespace

constinit const Command kSystemDf{.usage = "[OPTIONS]", .summary = "Show disk usage", .aliases = {}, .flags = kDfFlags, .least = 0, .most = 0, .run = run_df};
constinit const Command kBuilderDu{
    .usage = "[OPTIONS]", .summary = "Disk usage of the build cache", .aliases = "mica builder du, mica buildx du", .flags = kDuFlags, .least = 0, .most = 0, .run = run_du};

}  // namespace mica::cli
