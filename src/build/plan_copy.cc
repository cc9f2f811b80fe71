// COPY and ADD.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "build/add_remote.h"
#include "build/chmod.h"
#include "build/plan_stage.h"
#include "build/plan_titles.h"
#include "oci/digest.h"

namespace mica::build {
namespace {

namespace df = dockerfile;

Result<> check_sources(const df::Copy& copy) {
  if (!copy.add) {
    for (const std::string& source : copy.sources) {
      const SourceKind kind = kind_of_source(source);
      if (kind == SourceKind::local) continue;
      Error error(Errc::invalid_argument, format("source can't be a {} for COPY", kind == SourceKind::git ? "git ref" : "URL"));
      return fail(std::move(error).with_hint("ADD takes such sources"));
    }
  }
  if (copy.checksum.empty()) return {};
  if (!copy.add) return fail(Errc::invalid_argument, "checksum can't be specified for COPY");
  if (copy.sources.size() != 1) return fail(Errc::invalid_argument, "checksum can't be specified for multiple sources");
  switch (kind_of_source(copy.sources.front())) {
    case SourceKind::local:
      return fail(Errc::invalid_argument, "checksum requires HTTP(S) or Git sources");
    case SourceKind::url:
      TRY_DOING(oci::Digest::parse(copy.checksum), "reading --checksum");
      break;
    case SourceKind::git:
      break;  // part of a commit: the fetch tells
  }
  return {};
}

std::string history_of(const df::Copy& copy) {
  std::string text = copy.add ? "ADD" : "COPY";
  if (copy.parents) text += " --parents";
  if (!copy.chown.empty()) text += " --chown=" + copy.chown;
  if (!copy.chmod.empty()) text += " --chmod=" + copy.chmod;
  for (const std::string& source : copy.sources) text += " " + source;
  for (const df::Heredoc& heredoc : copy.heredocs) text += " <<" + heredoc.name;
  return text + " " + copy.destination + " # buildkit";
}

}  // namespace

std::string copy_destination(const std::string& working_dir, const std::string& destination) {
  std::string path = destination.starts_with('/') ? clean_path(destination) : clean_path("/" + working_dir + "/" + destination);
  const bool is_folder = destination.empty() || destination == "." || destination.ends_with('/') || destination.ends_with("/.");
  if (is_folder && path != "/") path += '/';
  return path;
}

Result<> StagePlanner::copy(const df::Copy& copy, const Order& order) {
  const bool from_main = order.sources.empty();
  const Origin from = TRY(origin_of(from_main ? Source{} : order.sources.front(), order, ""));
  if (!copy.chmod.empty()) TRY(Chmod::parse(copy.chmod));
  TRY(check_sources(copy));

  CopyOp op{.add = copy.add,
            .from = from,
            .sources = copy.sources,
            .files = {},
            .destination = copy_destination(state_.plan.config.working_dir, copy.destination),
            .chown = copy.chown,
            .chmod = copy.chmod,
            .checksum = copy.checksum,
            .excludes = copy.excludes,
            .link = copy.link,
            .parents = copy.parents,
            .keep_git_dir = copy.keep_git_dir,
            .unpack = copy.unpack};
  for (const df::Heredoc& heredoc : copy.heredocs) op.files.push_back({heredoc.name, heredoc.body});
  if (from_main)
    for (const std::string& source : copy.sources)
      if (kind_of_source(source) == SourceKind::local)
        planning_.checks.ignored_source(order.instruction->keyword, source, planning_.ignore, order.spot);

  std::vector<VertexId> inputs;
  if (from.kind == Origin::Kind::vertex && from.vertex != kNoVertex) inputs.push_back(from.vertex);
  add_vertex(order, std::move(op), std::move(inputs),
             expanded_title(one_line(*order.instruction), state_.environment, planning_.file.directives.escape));
  commit(history_of(copy), false);
  return {};
}

}  // namespace mica::build
