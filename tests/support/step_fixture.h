/// Runs steps on states without a solver: a store, one context in memory, and a graph of one vertex at a time.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "build/step.h"
#include "support/layer_fixture.h"
#include "support/memory_tree.h"

namespace mica::testing {

class CollectedOutput : public build::OutputSink {
 public:
  void write(int, std::string_view bytes) override { text += bytes; }
  void shell(bool) override {}
  std::string text;
};

struct StepFixture {
  StepFixture() {
    session.layers = &store.layers;
    session.pool = &store.pool;
    session.temporary = store.dir.path() + "/ingest/1";
    session.contexts.push_back(std::make_unique<MemoryTree>());
    graph.stages.push_back({.name = "main"});
  }
  LayerFixture store;
  build::Session session;
  build::Graph graph;
  CollectedOutput output;

  MemoryTree& context() { return static_cast<MemoryTree&>(*session.contexts[0]); }
  MemoryTree& new_context() {
    session.contexts[0] = std::make_unique<MemoryTree>();
    return context();
  }

  struct Ran {
    build::State state;
    build::Parts parts;
    snapshot::LayerInfo layer;
  };
  /// Prepares, asks for the key and executes. `from`: the state of Origin::vertex 1.
  Result<Ran> run(build::Op op, const build::State& parent = {}, const build::State& from = {},
                  const std::optional<build::Record>& earlier = std::nullopt) {
    build::Vertex vertex{.id = 2, .parent = parent.chain.empty() ? build::kNoVertex : 0, .inputs = {1}, .op = std::move(op)};
    graph.vertices = {build::Vertex{.id = 0}, build::Vertex{.id = 1, .op = build::WorkdirOp{}}, vertex};
    const auto step = std::holds_alternative<build::CopyOp>(vertex.op) ? build::make_copy_step(vertex, graph, session)
                                                                       : build::make_workdir_step(vertex, graph, session);
    TRY(step->prepare({}));
    const build::StepStates states{.parent = parent, .inputs = {from}};
    Ran ran;
    needs_parent = step->needs_parent();
    TRY(step->key(states, ran.parts, {}));
    ran.layer = TRY(step->execute(states, earlier, output, {}));
    ran.state = parent;
    ran.state.chain.push_back(ran.layer.id);
    ran.state.tree = snapshot::next_tree(parent.tree, ran.layer.content_id);
    check_disk(ran.layer.id);
    return ran;
  }
  bool needs_parent = true;

  /// A state of one layer that `fill` makes in a folder.
  template <class Fill>
  build::State state(Fill fill) {
    auto staged = must(store.layers.stage());
    fill(staged.fs());
    const auto listing = store.scan(staged.fs());
    const auto info = must(store.layers.commit(std::move(staged), listing, {}));
    return {.chain = {info.id}, .tree = snapshot::next_tree("", info.content_id)};
  }
  /// The same by the shell, run in the folder.
  build::State shell(const std::string& script) {
    return state([&](const std::string& folder) {
      must(sys::run_and_capture({"sh", "-euc", "umask 022; cd \"$0\"; " + script, folder}));
    });
  }
  Lines layer(const Ran& ran) { return lines_of(must(store.layers.listing(ran.layer.id))); }
  Lines tree(const build::State& of) { return lines_of(must(store.layers.view(of.chain))); }
  std::string content(const build::State& of, std::string_view path) {
    return must(must(store.layers.view(of.chain)).read_file(path, 1 << 20));
  }
  snapshot::Entry entry(const build::State& of, std::string_view path) {
    const auto view = must(store.layers.view(of.chain));
    const auto found = view.find(path);
    REQUIRE_MESSAGE(found.has_value(), path);
    return snapshot::Entry::of(found->entry);
  }

 private:
  /// The listing says what is on disk.
  void check_disk(const snapshot::LayerId& id) {
    check_same(must(store.layers.listing(id)), store.scan(store.layers.directory(id)));
  }
};

/// The error's text; "" for success.
template <class T>
std::string error_of(const Result<T>& result) {
  return result ? std::string() : result.error().text();
}

}  // namespace mica::testing
