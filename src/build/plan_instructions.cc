// What each instruction does to its stage: lints, environment, config, history, vertices.
#include "base/format.h"
#include "base/text.h"
#include "build/plan_history.h"
#include "build/plan_ports.h"
#include "build/plan_stage.h"
#include "build/plan_titles.h"

namespace mica::build {

namespace df = dockerfile;

/// One overload an instruction, its words expanded.
struct Instructions {
  StagePlanner& planner;
  const Order& order;
  const df::Command& expanded;

  oci::ImageConfig& config() const { return planner.state_.plan.config; }
  Checks& checks() const { return planner.planning_.checks; }
  const std::string& keyword() const { return order.instruction->keyword_as_written; }

  Result<> change_config() const {
    std::string text = TRY(apply_command(config(), expanded));
    if (!text.empty()) planner.commit(std::move(text), true);
    return {};
  }
  void used(std::optional<Spot>& last) const {
    if (last) checks().several_instructions(keyword(), *last);
    last = order.spot;
  }
  /// With a SHELL of one's own the shell form is meant.
  void recommend_json(const df::CommandLine& command) const {
    if (!command.exec_form && config().shell.empty()) checks().json_recommended(keyword(), order.spot);
  }

  Result<> operator()(const df::Env& env) const {
    if (env.legacy) checks().legacy_form(keyword(), order.spot);
    for (const df::KeyValue& pair : env.pairs) {
      checks().secret_name("ENV", pair.key, order.spot);
      planner.state_.environment.set(pair.key, *pair.value);
    }
    return change_config();
  }

  Result<> operator()(const df::Label& label) const {
    if (label.legacy) checks().legacy_form(keyword(), order.spot);
    return change_config();
  }

  /// A build argument beats the default, the default what was declared before the first FROM.
  Result<> operator()(const df::Arg& arg) const {
    StageState& state = planner.state_;
    const WordExpander expander = planner.expander(order);
    std::string text = "ARG";
    for (const df::KeyValue& pair : arg.args) {
      checks().secret_name("ARG", pair.key, order.spot);
      std::optional<std::string> value = planner.planning_.given.get(pair.key);
      if (!value && pair.value)
        value = TRY(expander.word(*pair.value));
      else if (!value)
        value = planner.planning_.globals.get(pair.key);
      if (value && !is_hidden_argument(pair.key)) state.environment.set(pair.key, *value);
      text += " " + pair.key + (value ? "=" + *value : "");
      state.arguments.emplace_back(pair.key, std::move(value));
    }
    planner.commit(std::move(text), true);
    return {};
  }

  Result<> operator()(const df::Workdir& workdir) const {
    StageState& state = planner.state_;
    // Only the first one counts: it is the one to mend.
    if (!state.has_workdir && !workdir.path.starts_with('/'))
      checks().warn("WorkdirRelativePath",
                    format("Relative workdir {} can have unexpected results if the base image changes", quoted(workdir.path)),
                    order.spot);
    state.has_workdir = true;
    std::string text = TRY(apply_command(config(), expanded));
    const std::string& path = config().working_dir;
    const bool is_root = path == "/";
    if (!is_root)
      planner.add_vertex(
          order, WorkdirOp{.path = clean_path(path), .user = config().user}, {},
          expanded_title(one_line(*order.instruction), state.environment, planner.planning_.file.directives.escape));
    planner.commit(std::move(text), is_root);
    return {};
  }

  Result<> operator()(const df::Expose& expose) const {
    for (const std::string& word : expose.ports) {
      const auto exposed = parse_exposed(word);
      if (!exposed) continue;  // told by apply_command
      if (exposed->has_host_part)
        checks().warn("ExposeInvalidFormat",
                      format("EXPOSE instruction should not define an IP address or host-port mapping, found '{}'", word),
                      order.spot);
      if (exposed->mixed_case_protocol)
        checks().warn("ExposeProtoCasing", format("Defined protocol '{}' in EXPOSE instruction should be lowercase", word),
                      order.spot);
    }
    return change_config();
  }

  Result<> operator()(const df::Cmd& cmd) const {
    used(planner.cmd_);
    recommend_json(cmd.command);
    TRY(change_config());
    config().args_escaped = true;
    return {};
  }
  /// A CMD that came with the base belongs to the base's ENTRYPOINT.
  Result<> operator()(const df::Entrypoint& entrypoint) const {
    used(planner.entrypoint_);
    recommend_json(entrypoint.command);
    TRY(change_config());
    if (!planner.cmd_) config().cmd.reset();
    return {};
  }
  Result<> operator()(const df::HealthcheckSpec&) const {
    used(planner.healthcheck_);
    return change_config();
  }

  Result<> operator()(const df::Copy& copy) const { return planner.copy(copy, order); }
  Result<> operator()(const df::Run& run) const { return planner.run_command(run, order); }

  template <class Other>
  Result<> operator()(const Other&) const {
    return change_config();
  }
};

Result<> StagePlanner::apply(const Order& order) {
  failed_word_.clear();
  const df::Command expanded = TRY(expand_command(order.instruction->command, expander(order)));
  return std::visit(Instructions{*this, order, expanded}, expanded);
}

}  // namespace mica::build
