/// The stages of a Dockerfile and how they need each other, before any image is looked at.
///
/// A name in COPY --from or a mount's from is, in this order: a stage index (COPY only), a stage of this file (the last of that
/// name, wherever it stands), "scratch", else an image or named context. FROM sees only the stages before it.
#pragma once
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "build/plan_checks.h"
#include "build/plan_environment.h"
#include "build/plan_faults.h"
#include "build/plan_named.h"
#include "dockerfile/tree.h"
#include "oci/platform.h"

namespace mica::build {

/// Where an instruction takes files from.
struct Source {
  enum class Kind { context, stage, image, nothing };
  Kind kind = Kind::context;
  int stage = -1;
  std::string name;  ///< as written
};

/// One instruction of a stage's list: its own, or a trigger of the base.
struct Order {
  const dockerfile::Instruction* instruction = nullptr;
  Spot spot;  ///< of a trigger: the FROM that fired it
  bool on_build = false;
  std::vector<Source> sources;  ///< COPY: one or none; RUN: one a mount
};

struct StageEntry {
  const dockerfile::Stage* source = nullptr;
  Spot spot;
  std::string base_name;                      ///< FROM's word, expanded
  int base_stage = -1;                        ///< index of the stage it continues, or -1
  std::optional<oci::Platform> platform;      ///< --platform
  const NamedContext* replacement = nullptr;  ///< named context of this stage's name: its instructions do not count
  std::vector<Order> orders;
  std::string title_name;  ///< "build", "stage-1"; empty when there is one stage only
  bool triggers_known = false;
};

class StageTable {
 public:
  /// Expands and checks every FROM, and finds what each instruction takes files from. Faults and warnings go to `faults`,
  /// `checks`. `globals`: see global_arguments().
  StageTable(const dockerfile::File& file, const Environment& globals, const std::vector<std::string_view>& declared,
             const NamedContexts& named, Faults& faults, Checks& checks);

  std::vector<StageEntry>& stages() { return stages_; }
  const std::vector<StageEntry>& stages() const { return stages_; }
  /// Index of the stage asked for; the last when `target` is empty. Errors: invalid_argument with a suggestion.
  Result<int> find_target(const std::string& target) const;
  /// Parses triggers (of the base image or, with `base_stage`, of that stage) and puts them before the stage's own instructions.
  void add_triggers(int stage, const std::vector<std::string>& triggers);
  /// Indexes of the stages that `target` needs, itself included, in file order; known triggers count.
  std::vector<int> reachable(int target) const;
  std::vector<int> all() const;
  std::vector<std::string_view> names() const;

 private:
  void read_from(StageEntry& entry, const Environment& globals, const std::vector<std::string_view>& declared,
                 const NamedContexts& named);
  void read_platform(StageEntry& entry, const Environment& globals, const std::vector<std::string_view>& declared);
  std::vector<Source> sources_of(const dockerfile::Instruction& instruction, const Spot& spot);
  Source source_of(std::string_view name, bool index_allowed, const Spot& spot);
  void check_circles();
  std::optional<int> find(std::string_view name) const;

  const dockerfile::File& file_;
  Faults& faults_;
  Checks& checks_;
  std::vector<StageEntry> stages_;
  std::deque<dockerfile::Instruction> triggers_;
};

/// The ARGs before the first FROM, expanded, over the predefined ones; `declared` gets their names. Faults of defaults go to
/// `faults` when it is given.
Environment global_arguments(const dockerfile::File& file, Environment predefined, const BuildArguments* given, Faults* faults,
                             std::vector<std::string_view>& declared);
/// InvalidDefaultArgInFrom: every FROM must name an image also when no --build-arg is given.
void check_default_bases(const dockerfile::File& file, const Environment& predefined, Checks& checks);

}  // namespace mica::build
