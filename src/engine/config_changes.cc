#include "engine/config_changes.h"

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/expand.h"
#include "dockerfile/parser.h"

namespace mica::engine {
namespace {

namespace df = dockerfile;

void add_sorted(std::vector<std::string>& set, const std::string& value) {
  const auto at = std::lower_bound(set.begin(), set.end(), value);
  if (at == set.end() || *at != value) set.insert(at, value);
}

class Change {
 public:
  explicit Change(oci::ImageConfig& config) : config_(config) {}

  Result<> operator()(const df::Env& env) {
    for (const auto& pair : env.pairs) {
      const std::string key = TRY(word(pair.key));
      const std::string value = TRY(word(pair.value.value_or("")));
      std::erase_if(config_.env, [&](const std::string& e) { return e.starts_with(key + "="); });
      config_.env.push_back(key + "=" + value);
    }
    return {};
  }
  Result<> operator()(const df::Label& label) {
    for (const auto& pair : label.pairs) {
      const std::string key = TRY(word(pair.key));
      const std::string value = TRY(word(pair.value.value_or("")));
      std::erase_if(config_.labels, [&](const auto& l) { return l.first == key; });
      config_.labels.emplace_back(key, value);
    }
    return {};
  }
  Result<> operator()(const df::Cmd& cmd) {
    config_.cmd = words(cmd.command);
    return {};
  }
  Result<> operator()(const df::Entrypoint& entrypoint) {
    config_.entrypoint = words(entrypoint.command);
    return {};
  }
  Result<> operator()(const df::User& user) {
    config_.user = TRY(word(user.user));
    return {};
  }
  Result<> operator()(const df::Workdir& workdir) {
    const std::string path = TRY(word(workdir.path));
    config_.working_dir = join_path(config_.working_dir.empty() ? "/" : config_.working_dir, path);
    return {};
  }
  Result<> operator()(const df::Volume& volume) {
    for (const auto& path : volume.paths) {
      const std::string plain = TRY(word(path));
      add_sorted(config_.volumes, plain);
    }
    return {};
  }
  Result<> operator()(const df::Expose& expose) {
    for (const auto& text : expose.ports) {
      const auto ports = TRY(df::expand_words(text, lookup()));
      for (const auto& port : ports) add_sorted(config_.exposed_ports, port.find('/') == port.npos ? port + "/tcp" : to_lower(port));
    }
    return {};
  }
  Result<> operator()(const df::StopSignal& signal) {
    config_.stop_signal = TRY(word(signal.signal));
    return {};
  }
  Result<> operator()(const df::Shell& shell) {
    config_.shell = shell.words;
    return {};
  }
  Result<> operator()(const df::OnBuild& trigger) {
    config_.on_build.push_back(trigger.text);
    return {};
  }
  Result<> operator()(const df::HealthcheckSpec& check) {
    oci::Healthcheck health;
    if (check.none) health.test = {"NONE"};
    else {
      health.test = check.command.words;
      health.test.insert(health.test.begin(), check.command.exec_form ? "CMD" : "CMD-SHELL");
    }
    health.interval = check.interval;
    health.timeout = check.timeout;
    health.start_period = check.start_period;
    health.start_interval = check.start_interval;
    health.retries = check.retries;
    config_.healthcheck = std::move(health);
    return {};
  }
  template <class Other>
  Result<> operator()(const Other&) {
    return fail(Error(Errc::invalid_argument, "this instruction is not a valid change")
                    .with_hint("use CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME or WORKDIR"));
  }

 private:
  df::Lookup lookup() const {
    return [this](std::string_view name) -> std::optional<std::string> {
      for (const auto& e : config_.env)
        if (e.size() > name.size() && e.starts_with(name) && e[name.size()] == '=') return e.substr(name.size() + 1);
      return std::nullopt;
    };
  }
  Result<std::string> word(const std::string& text) {
    auto expanded = TRY(df::expand(text, lookup()));
    return std::move(expanded.text);
  }
  std::vector<std::string> words(const df::CommandLine& command) const {
    if (command.exec_form) return command.words;
    std::vector<std::string> shell = config_.shell.empty() ? std::vector<std::string>{"/bin/sh", "-c"} : config_.shell;
    shell.insert(shell.end(), command.words.begin(), command.words.end());
    return shell;
  }

  oci::ImageConfig& config_;
};

}  // namespace

Result<> apply_change(oci::ImageConfig& config, const std::string& text) {
  const auto instruction = text.starts_with("ONBUILD ") || text.starts_with("onbuild ")
                               ? Result<df::Instruction>(df::Instruction{.keyword = "ONBUILD", .command = df::OnBuild{std::string(trim(text.substr(8)))}})
                               : df::parse_trigger(text, "--change");
  if (!instruction) return fail(Error(instruction.error()).doing(format("reading --change {}", quoted(text))));
  TRY_DOING(std::visit(Change(config), instruction->command), format("applying --change {}", quoted(text)));
  return {};
}

}  // namespace mica::engine
