/// Plans Dockerfile texts against images in memory, and shows graphs as words to compare.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/format.h"
#include "build/planner.h"
#include "dockerfile/parser.h"
#include "support/fake_bases.h"

namespace mica::testing {

using namespace build;

inline const oci::Platform kAmd64 = *oci::Platform::parse("linux/amd64");

inline PlanRequest amd64() {
  PlanRequest request;
  request.platform = request.build_platform = kAmd64;
  return request;
}

struct Images : FakeBases {
  Images() {
    add("busybox", R"({"Cmd":["sh"]})");
    add("alpine:3.20", R"({"Cmd":["/bin/sh"],"Env":["PATH=/bin","LANG=C"],"WorkingDir":"app"})", 3);
  }
};

inline Result<Graph> try_plan(std::string_view text, FakeBases& bases, const PlanRequest& request = amd64()) {
  auto file = TRY(dockerfile::parse_file("Dockerfile", text));
  return plan_build(std::move(file), request, bases, {});
}
inline Result<Graph> try_plan(std::string_view text, const PlanRequest& request = amd64()) {
  Images bases;
  return try_plan(text, bases, request);
}
inline Graph plan(std::string_view text, const PlanRequest& request = amd64()) {
  auto graph = try_plan(text, request);
  REQUIRE_MESSAGE(graph, graph.error().full_text());
  return std::move(*graph);
}
inline std::string error_of(std::string_view text, const PlanRequest& request = amd64()) {
  const auto graph = try_plan(text, request);
  return graph ? "" : graph.error().full_text();
}

inline const StagePlan& result_of(const Graph& graph) { return graph.stages[static_cast<std::size_t>(graph.target)]; }
inline std::vector<std::string> titles(const Graph& graph) {
  std::vector<std::string> titles;
  for (const Vertex& vertex : graph.vertices) titles.push_back(vertex.title);
  return titles;
}
inline std::vector<std::string> history(const Graph& graph) {
  std::vector<std::string> texts;
  for (const auto& entry : result_of(graph).history) texts.push_back(entry.created_by);
  return texts;
}
/// "Rule (line N)" or "Rule (line N, suggestion)".
inline std::vector<std::string> warnings(const Graph& graph) {
  std::vector<std::string> shown;
  for (const auto& w : graph.warnings)
    shown.push_back(format("{} ({}{})", w.code, w.where.line, w.suggestion.empty() ? "" : ", " + w.suggestion));
  return shown;
}
template <class T>
const T& op(const Graph& graph, std::size_t vertex) {
  return std::get<T>(graph.vertices.at(vertex).op);
}

using Words = std::vector<std::string>;

}  // namespace mica::testing
