#include "container/definition.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::container {
namespace {

std::string_view key_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

void add_missing_variables(std::vector<std::string>& env, const std::vector<std::string>& from_image) {
  const std::size_t given = env.size();
  for (const auto& variable : from_image) {
    const bool known = std::any_of(env.begin(), env.begin() + static_cast<std::ptrdiff_t>(given), [&](const auto& own) { return key_of(own) == key_of(variable); });
    if (!known) env.push_back(variable);
  }
}

void add_missing(std::vector<std::string>& values, const std::vector<std::string>& more) {
  for (const auto& value : more)
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
}

void complete_healthcheck(std::optional<oci::Healthcheck>& check, const std::optional<oci::Healthcheck>& from_image) {
  if (!from_image) return;
  if (!check) {
    check = from_image;
    return;
  }
  if (check->test.empty()) check->test = from_image->test;
  if (check->interval == 0) check->interval = from_image->interval;
  if (check->timeout == 0) check->timeout = from_image->timeout;
  if (check->start_period == 0) check->start_period = from_image->start_period;
  if (check->start_interval == 0) check->start_interval = from_image->start_interval;
  if (check->retries == 0) check->retries = from_image->retries;
}

}  // namespace

Result<> complete(Definition& definition, const oci::ImageConfig& image) {
  if (definition.user.empty()) definition.user = image.user;
  if (definition.working_dir.empty()) definition.working_dir = image.working_dir;
  if (definition.stop_signal.empty()) definition.stop_signal = image.stop_signal;
  if (definition.shell.empty()) definition.shell = image.shell;
  add_missing_variables(definition.env, image.env);
  add_missing(definition.exposed_ports, image.exposed_ports);
  add_missing(definition.volumes, image.volumes);
  for (const auto& label : image.labels) {
    const bool known = std::any_of(definition.labels.begin(), definition.labels.end(), [&](const auto& own) { return own.first == label.first; });
    if (!known) definition.labels.push_back(label);
  }
  std::sort(definition.labels.begin(), definition.labels.end());
  // An entrypoint of one's own, even an empty one, is not for the image's arguments.
  if (!definition.entrypoint) {
    if (!definition.cmd || definition.cmd->empty()) definition.cmd = image.cmd;
    definition.entrypoint = image.entrypoint;
  }
  complete_healthcheck(definition.healthcheck, image.healthcheck);
  const bool has_entrypoint = definition.entrypoint && !definition.entrypoint->empty(), has_cmd = definition.cmd && !definition.cmd->empty();
  if (!has_entrypoint && !has_cmd)
    return fail(Error(Errc::invalid_argument, "no command specified").with_hint("the image has neither CMD nor ENTRYPOINT: name a command after it"));
  return {};
}

}  // namespace mica::container
