#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "engine/check_store.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"format", 0, "string", "'json': print one JSON object a finding"},
    {"quick", 0, "", "Check structure only, do not read file contents"},
    {"quiet", 'q', "", "Print findings only"},
    {"repair", 0, "", "Move what is broken to quarantine/ in the state folder\nand remove images, names and build records that need it"},
};
constexpr Column kColumns[] = {{"Finding", "FINDING"}, {"Repair", "REPAIR"}, {"Repaired", "REPAIRED"}};

Result<int> run(Context& context) {
  const Args& args = context.args;
  const bool repair = args.flag("repair"), quiet = args.flag("quiet") || args.has("format");
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  const auto report = TRY(engine::check_store(*engine, {.repair = repair, .quick = args.flag("quick")},
                                              [&](std::string line) { if (!quiet) note(line + "\n"); }, interrupt.cancel()));
  bool open = false;
  std::vector<json::Value> rows;
  std::string text;
  for (const auto& finding : report.findings) {
    open = open || !finding.repaired;
    json::Value row = json::Value::object();
    row.set("Finding", finding.what);
    row.set("Repair", finding.repair);
    row.set("Repaired", finding.repaired ? "true" : "false");
    rows.push_back(std::move(row));
    text += format("{}\n", finding.what);
    if (finding.repaired) text += format("  done: {}\n", finding.repair);
    else if (!finding.repair.empty()) text += format("  {}: {}\n", repair ? "failed" : "--repair would", finding.repair);
  }
  if (args.has("format")) text = TRY(render_list({.table = "table {{.Finding}}\t{{.Repair}}\t{{.Repaired}}", .columns = kColumns, .type_name = "fsck finding"}, args.text("format"), rows));
  else if (!quiet)
    text += format("{} images, {} names, {} layers, {} blobs, {} build records: {}\n", report.images, report.names, report.layers, report.blobs, report.records,
                   report.findings.empty() ? "whole" : format("{} findings", report.findings.size()));
  TRY(print(text));
  return open ? 1 : 0;
}

}  // namespace

constinit const Command kFsck{.usage = "[OPTIONS]", .summary = "Check the store and repair it", .aliases = {}, .flags = kFlags, .least = 0, .most = 0, .run = run};

}  // namespace mica::cli
