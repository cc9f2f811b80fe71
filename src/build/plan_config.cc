#include "build/plan_config.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "build/plan_environment.h"
#include "build/plan_history.h"
#include "build/plan_ports.h"
#include "build/planner.h"

namespace mica::build {
namespace {

namespace df = dockerfile;

/// EXPOSE 1-65535 is not rare: one sort, not an insertion each.
void add_sorted(std::vector<std::string>& set, const std::vector<std::string>& values) {
  set.insert(set.end(), values.begin(), values.end());
  std::ranges::sort(set);
  const auto [first, last] = std::ranges::unique(set);
  set.erase(first, last);
}

void set_variable(std::vector<std::string>& env, const std::string& name, const std::string& value) {
  for (std::string& entry : env)
    if (split_variable(entry).first == name) {
      entry = name + "=" + value;
      return;
    }
  env.push_back(name + "=" + value);
}

Result<std::vector<df::KeyValue>> expand_pairs(const std::vector<df::KeyValue>& pairs, const WordExpander& expander) {
  std::vector<df::KeyValue> expanded;
  for (const df::KeyValue& pair : pairs) {
    std::string key = TRY(expander.word(pair.key));
    std::string value = TRY(expander.word(pair.value.value_or("")));
    expanded.push_back({std::move(key), std::move(value)});
  }
  return expanded;
}

Result<std::vector<std::string>> expand_all(const std::vector<std::string>& words, const WordExpander& expander) {
  std::vector<std::string> expanded;
  for (const std::string& word : words) {
    std::string text = TRY(expander.word(word));
    expanded.push_back(std::move(text));
  }
  return expanded;
}

/// One overload an instruction that has something to expand.
struct Expand {
  const WordExpander& expander;

  Result<df::Command> operator()(const df::Env& env) const {
    auto pairs = TRY(expand_pairs(env.pairs, expander));
    return df::Env{std::move(pairs), env.legacy};
  }
  Result<df::Command> operator()(const df::Label& label) const {
    auto pairs = TRY(expand_pairs(label.pairs, expander));
    return df::Label{std::move(pairs), label.legacy};
  }
  Result<df::Command> operator()(const df::Workdir& workdir) const {
    std::string path = TRY(expander.word(workdir.path));
    return df::Workdir{std::move(path)};
  }
  Result<df::Command> operator()(const df::User& user) const {
    std::string name = TRY(expander.word(user.user));
    return df::User{std::move(name)};
  }
  Result<df::Command> operator()(const df::StopSignal& signal) const {
    std::string name = TRY(expander.word(signal.signal));
    return df::StopSignal{std::move(name)};
  }
  Result<df::Command> operator()(const df::Volume& volume) const {
    auto paths = TRY(expand_all(volume.paths, expander));
    return df::Volume{std::move(paths)};
  }
  Result<df::Command> operator()(df::Expose expose) const {
    std::ranges::sort(expose.ports);
    df::Expose expanded;
    for (const std::string& text : expose.ports) {
      const auto words = TRY(expander.words(text));
      expanded.ports.insert(expanded.ports.end(), words.begin(), words.end());
    }
    return expanded;
  }
  Result<df::Command> operator()(df::Copy copy) const {
    copy.sources = TRY(expand_all(copy.sources, expander));
    copy.destination = TRY(expander.word(copy.destination));
    copy.chown = TRY(expander.word(copy.chown));
    copy.chmod = TRY(expander.word(copy.chmod));
    copy.checksum = TRY(expander.word(copy.checksum));
    for (df::Heredoc& heredoc : copy.heredocs)
      if (heredoc.expand) heredoc.body = TRY(expander.document(heredoc.body));
    return copy;
  }
  template <class Other>
  Result<df::Command> operator()(const Other& other) const {
    return other;
  }
};

Error not_a_change() {
  return Error(Errc::invalid_argument, "this instruction is not a valid change")
      .with_hint("use CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME or WORKDIR");
}

/// One overload an instruction about the config; each returns its history text.
struct Apply {
  oci::ImageConfig& config;

  Result<std::string> operator()(const df::Env& env) const {
    for (const df::KeyValue& pair : env.pairs) set_variable(config.env, pair.key, *pair.value);
    return "ENV" + history_pairs(env.pairs);
  }
  Result<std::string> operator()(const df::Label& label) const {
    for (const df::KeyValue& pair : label.pairs) {
      const auto known = std::ranges::find(config.labels, pair.key, &std::pair<std::string, std::string>::first);
      if (known == config.labels.end())
        config.labels.emplace_back(pair.key, *pair.value);
      else
        known->second = *pair.value;
    }
    return "LABEL" + history_pairs(label.pairs);
  }
  Result<std::string> operator()(const df::Workdir& workdir) const {
    config.working_dir = joined_workdir(config.working_dir, workdir.path);
    return "WORKDIR " + config.working_dir;
  }
  Result<std::string> operator()(const df::User& user) const {
    config.user = user.user;
    return "USER " + user.user;
  }
  Result<std::string> operator()(const df::Volume& volume) const {
    if (std::ranges::find(volume.paths, "") != volume.paths.end())
      return fail(Errc::invalid_argument, "VOLUME specified can not be an empty string");
    add_sorted(config.volumes, volume.paths);
    return "VOLUME " + history_words(volume.paths);
  }
  Result<std::string> operator()(const df::Expose& expose) const {
    std::vector<std::string> ports;
    for (const std::string& word : expose.ports) {
      const ExposedPorts exposed = TRY(parse_exposed(word));
      ports.insert(ports.end(), exposed.ports.begin(), exposed.ports.end());
    }
    add_sorted(config.exposed_ports, ports);
    return "EXPOSE " + history_words(ports);
  }
  Result<std::string> operator()(const df::StopSignal& signal) const {
    if (!is_signal(signal.signal))
      return fail(Error(Errc::invalid_argument, format("invalid signal: {}", signal.signal))
                      .with_hint("a signal is a number or a name such as SIGTERM"));
    config.stop_signal = signal.signal;
    return "STOPSIGNAL " + signal.signal;
  }
  Result<std::string> operator()(const df::Shell& shell) const {
    config.shell = shell.words;
    return "SHELL " + history_words(shell.words);
  }
  Result<std::string> operator()(const df::Cmd& cmd) const { return set_command("CMD ", config.cmd, cmd.command); }
  Result<std::string> operator()(const df::Entrypoint& entrypoint) const {
    return set_command("ENTRYPOINT ", config.entrypoint, entrypoint.command);
  }
  Result<std::string> operator()(const df::Maintainer& maintainer) const {
    config.author = maintainer.name;
    return "MAINTAINER " + maintainer.name;
  }
  Result<std::string> operator()(const df::OnBuild& trigger) const {
    config.on_build.push_back(trigger.text);
    return std::string();
  }
  Result<std::string> operator()(const df::HealthcheckSpec& check) const {
    oci::Healthcheck health{.test = {"NONE"},
                            .interval = check.interval,
                            .timeout = check.timeout,
                            .start_period = check.start_period,
                            .start_interval = check.start_interval,
                            .retries = check.retries};
    if (!check.none) {
      health.test = {check.command.exec_form ? "CMD" : "CMD-SHELL"};
      health.test.insert(health.test.end(), check.command.words.begin(), check.command.words.end());
    }
    config.healthcheck = std::move(health);
    return "HEALTHCHECK " + history_healthcheck(*config.healthcheck);
  }
  template <class Other>
  Result<std::string> operator()(const Other&) const {
    return fail(not_a_change());
  }

 private:
  /// An empty list is absent from the config, as Go leaves it out.
  std::string set_command(const char* keyword, std::optional<std::vector<std::string>>& member,
                          const df::CommandLine& command) const {
    std::vector<std::string> argv = argv_of(config, command);
    std::string text = keyword + history_quoted(argv);
    if (argv.empty())
      member.reset();
    else
      member = std::move(argv);
    return text;
  }
};

}  // namespace

Result<df::Command> expand_command(const df::Command& command, const WordExpander& expander) {
  return std::visit(Expand{expander}, command);
}

Result<std::string> apply_command(oci::ImageConfig& config, const df::Command& expanded) {
  return std::visit(Apply{config}, expanded);
}

std::vector<std::string> argv_of(const oci::ImageConfig& config, const df::CommandLine& command) {
  if (command.exec_form) return command.words;
  std::vector<std::string> argv = config.shell.empty() ? std::vector<std::string>{"/bin/sh", "-c"} : config.shell;
  argv.push_back(join(command.words, " "));
  return argv;
}

std::string joined_workdir(const std::string& current, const std::string& wanted) {
  return wanted.starts_with('/') ? wanted : clean_path("/" + current + "/" + wanted);
}

Result<> apply_to_config(oci::ImageConfig& config, const df::Instruction& instruction) {
  if (std::holds_alternative<df::Maintainer>(instruction.command)) return fail(not_a_change());
  Environment environment;
  for (const std::string& entry : config.env)
    environment.set(split_variable(entry).first, std::string(split_variable(entry).second));
  const df::Lookup lookup = environment.lookup();
  const WordExpander expander{.word = [&](const std::string& text) -> Result<std::string> {
                                auto expanded = TRY(df::expand(text, lookup));
                                return std::move(expanded.text);
                              },
                              .words = [&](const std::string& text) { return df::expand_words(text, lookup); },
                              .document = [](const std::string& text) -> Result<std::string> { return text; }};
  const df::Command expanded = TRY(expand_command(instruction.command, expander));
  TRY(apply_command(config, expanded));
  return {};
}

}  // namespace mica::build
