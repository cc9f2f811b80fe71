#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "engine/images.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"all", 'a', "", "Show all images (mica keeps no intermediate images:\nthe list is the same)"},
    {"digests", 0, "", "Show digests"},
    {"filter", 'f', "filter", "Filter output based on conditions provided:\ndangling, label, before, since, reference, until"},
    {"format", 0, "string", kFormatHelp},
    {"no-trunc", 0, "", "Don't truncate output"},
    {"quiet", 'q', "", "Only show image IDs"},
    {"tree", 0, "", "List multi-platform images as a tree", "the tree view is not supported yet"},
};
constexpr Column kColumns[] = {
    {"Containers", "CONTAINERS"}, {"CreatedAt", "CREATED AT"},   {"CreatedSince", "CREATED"},     {"Digest", "DIGEST"},
    {"ID", "IMAGE ID"},           {"Repository", "REPOSITORY"},  {"SharedSize", "SHARED SIZE"},   {"Size", "SIZE"},
    {"Tag", "TAG"},               {"UniqueSize", "UNIQUE SIZE"}, {"VirtualSize", "SIZE"},
};

json::Value row(const engine::ListedImage& listed, const std::string& repository, const std::string& tag, bool full, bool digests) {
  const auto& image = listed.image;
  json::Value value = json::Value::object();
  value.set("Containers", "0");
  value.set("CreatedAt", docker_time(Timestamp::from_seconds(image.created.seconds())));
  value.set("CreatedSince", ago(image.created.ns));
  value.set("Digest", image.manifest.empty() || !digests ? "<none>" : image.manifest.str());
  value.set("ID", full ? image.id.digest.str() : image.id.digest.short_hex());
  value.set("Repository", repository);
  value.set("SharedSize", "N/A");
  value.set("Size", human_size(image.bytes));
  value.set("Tag", tag);
  value.set("UniqueSize", "N/A");
  value.set("VirtualSize", human_size(image.bytes));
  return value;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  engine::ListImages request{.filters = args.list("filter")};
  if (!args.positionals().empty()) request.reference = args.positional(0);
  const auto images = TRY(engine::list_images(*engine, request));
  const bool quiet = args.flag("quiet"), full = args.flag("no-trunc"), digests = args.flag("digests") || args.text("format").find(".Digest") != std::string::npos;

  std::vector<json::Value> rows;
  for (const auto& image : images) {
    if (image.names.empty()) rows.push_back(row(image, "<none>", "<none>", full, digests));
    for (const auto& name : image.names) {
      rows.push_back(row(image, name.familiar_name(), name.tag, full, digests));
    }
  }
  const ListStyle style{.table = args.flag("digests") ? "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
                                         : "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
                        .columns = kColumns,
                        .type_name = "*formatter.imageContext"};
  const std::string text = TRY(render_list(style, quiet && !args.has("format") ? "{{.ID}}" : args.text("format"), rows));
  TRY(print(text));
  return 0;
}

}  // namespace

constinit const Command kImages{.usage = "[OPTIONS] [REPOSITORY[:TAG]]",
                                .summary = "List images",
                                .aliases = "mica image ls, mica image list, mica images",
                                .flags = kFlags,
                                .least = 0,
                                .most = 1,
                                .run = run};

}  // namespace mica::cli
