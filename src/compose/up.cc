#include "compose/up.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "compose/canonical.h"
#include "compose/service_container.h"
#include "compose/service_hash.h"
#include "engine/container_list.h"
#include "engine/networks.h"
#include "engine/remove_image.h"
#include "engine/volumes.h"
#include "engine/change_container.h"

namespace mica::compose {

namespace {

using json::Value;

constexpr auto kLook = std::chrono::milliseconds(100);
constexpr std::size_t kShortDigits = 12;

/// Progress from many threads, a line at a time.
class Teller {
 public:
  explicit Teller(const Progress& progress) : progress_(progress) {}
  void operator()(const std::string& kind, const std::string& name, const std::string& state) {
    const std::lock_guard lock(mutex_);
    if (progress_) progress_(kind, name, state);
  }

 private:
  const Progress& progress_;
  std::mutex mutex_;
};

container::Pairs pairs(const Value* from) {
  container::Pairs out;
  if (from && from->is_object())
    for (const auto& [key, value] : from->as_object()) out.emplace_back(key, scalar_text(value));
  return out;
}

/// Services by how deep their dependencies go: those of one level can start together.
std::vector<std::vector<std::string>> levels(const Project& project, const std::vector<std::string>& services) {
  std::map<std::string, std::size_t> depth;
  std::vector<std::vector<std::string>> out;
  for (const auto& name : project.in_order()) {
    std::size_t mine = 0;
    if (const auto* service = project.service(name))
      if (const auto* needs = service->find("depends_on"); needs && needs->is_object())
        for (const auto& [other, how] : needs->as_object())
          if (depth.contains(other)) mine = std::max(mine, depth[other] + 1);
    depth[name] = mine;
    if (!std::ranges::count(services, name)) continue;
    if (out.size() <= mine) out.resize(mine + 1);
    out[mine].push_back(name);
  }
  return out;
}

template <class T>
Result<> all_at_once(const std::vector<T>& items, const std::function<Result<>(const T&)>& work) {
  if (items.size() == 1) return work(items[0]);
  std::vector<Result<>> results(items.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < items.size(); ++i) threads.emplace_back([&, i] { results[i] = work(items[i]); });
  for (auto& thread : threads) thread.join();
  for (auto& result : results) TRY(std::move(result));
  return {};
}

int scale_of(const UpRequest& request, const std::string& name, const Value& service) {
  if (const auto found = request.scale.find(name); found != request.scale.end()) return found->second;
  if (const auto* scale = service.find("scale"); scale && scale->is_int()) return static_cast<int>(scale->as_int());
  const auto* deploy = service.find("deploy");
  const auto* replicas = deploy ? deploy->find("replicas") : nullptr;
  return replicas && replicas->is_int() ? static_cast<int>(replicas->as_int()) : 1;
}

Result<> make_networks(engine::Engine& engine, const Project& project, Teller& tell, const task::Cancel& cancel) {
  const auto* networks = project.model.find("networks");
  if (!networks || !networks->is_object()) return {};
  container::NetworkTable table(engine.database());
  for (const auto& [key, network] : networks->as_object()) {
    const std::string name = resource_name(project, "networks", key);
    const auto there = table.resolve(name);
    if (network.bool_or("external")) {
      if (!there) return failf(Errc::not_found, "network {} declared as external, but could not be found", name);
      continue;
    }
    const std::string hash = sha256_hex(json::write(network));
    if (there) {
      for (const auto& [label_name, value] : there->labels)
        if (label_name == kProjectLabel && value != project.name)
          return fail(Error(Errc::conflict, format("a network with name {} exists but was not created for project {}", name, quoted(project.name))).with_hint("set external: true to use an existing network"));
      continue;
    }
    tell("Network", name, "Creating");
    container::NetworkRow row{.name = name, .driver = network.string_or("driver", "bridge"), .internal = network.bool_or("internal"), .attachable = network.bool_or("attachable"),
                              .ipv4 = network.bool_or("enable_ipv4", true), .ipv6 = network.bool_or("enable_ipv6"), .options = pairs(network.find("driver_opts")), .labels = pairs(network.find("labels"))};
    if (const auto* ipam = network.find("ipam"))
      if (const auto* config = ipam->find("config"); config && config->is_array())
        for (const auto& one : config->as_array())
          if (!one.string_or("subnet").empty())
            row.subnets.push_back({.subnet = one.string_or("subnet"), .gateway = one.string_or("gateway"), .ip_range = one.string_or("ip_range"), .auxiliary = pairs(one.find("aux_addresses"))});
    row.labels.emplace_back(kHashLabel, hash);
    row.labels.emplace_back(kNetworkLabel, key);
    row.labels.emplace_back(kProjectLabel, project.name);
    row.labels.emplace_back(kVersionLabel, kComposeVersion);
    TRY_DOING(engine::make_network(engine, std::move(row), cancel), format("failed to create network {}", name));
    tell("Network", name, "Created");
  }
  return {};
}

Result<> make_volumes(engine::Engine& engine, const Project& project, Teller& tell) {
  const auto* volumes = project.model.find("volumes");
  if (!volumes || !volumes->is_object()) return {};
  container::VolumeTable table(engine.database());
  for (const auto& [key, volume] : volumes->as_object()) {
    const std::string name = resource_name(project, "volumes", key);
    const auto there = TRY(table.find(name));
    if (volume.bool_or("external")) {
      if (!there) return failf(Errc::not_found, "external volume {} not found", quoted(name));
      continue;
    }
    if (there) continue;
    tell("Volume", name, "Creating");
    auto labels = pairs(volume.find("labels"));
    labels.emplace_back(kHashLabel, sha256_hex(json::write(volume)));
    labels.emplace_back(kProjectLabel, project.name);
    labels.emplace_back(kVersionLabel, kComposeVersion);
    labels.emplace_back(kVolumeLabel, key);
    TRY(engine::make_volume(engine, {.name = name, .driver = volume.string_or("driver", "local"), .options = pairs(volume.find("driver_opts")), .labels = std::move(labels)}));
    tell("Volume", name, "Created");
  }
  return {};
}

Result<> stop_and_remove(engine::Engine& engine, const ProjectContainer& one, std::optional<int> timeout, bool volumes, Teller& tell, const task::Cancel& cancel) {
  if (engine::is_running(one.row)) {
    tell("Container", one.row.name, "Stopping");
    auto stopped = engine::stop_container(engine, one.row.id, timeout, "", cancel);
    if (!stopped && stopped.error().code() != Errc::not_found) return fail(std::move(stopped).error());
    tell("Container", one.row.name, "Stopped");
  }
  tell("Container", one.row.name, "Removing");
  auto removed = engine::remove_container(engine, one.row.id, {.force = true, .volumes = volumes}, cancel);
  if (!removed && removed.error().code() != Errc::not_found) return removed;
  tell("Container", one.row.name, "Removed");
  return {};
}

class Creator {
 public:
  Creator(engine::Engine& engine, const Project& project, const UpRequest& request, Teller& tell, const task::Cancel& cancel)
      : engine_(engine), project_(project), request_(request), tell_(tell), cancel_(cancel) {}

  Result<> service(const std::string& name, const std::vector<ProjectContainer>& existing, bool named) {
    const Value& service = *project_.service(name);
    const int scale = scale_of(request_, name, service);
    if (scale > 1 && !service.string_or("container_name").empty())
      return failf(Errc::invalid_argument, "WARNING: The {} service is using the custom container name {}. Docker requires each container to have a unique name. Remove the custom name to scale the service", quoted(name),
                   quoted(service.string_or("container_name")));
    const auto image = TRY(engine_.images().resolve(image_name(project_, name, service)));
    const std::string image_id = image.id.digest.str(), hash = service_hash(service);
    std::vector<ProjectContainer> mine;
    for (const auto& one : existing)
      if (one.service == name && !one.one_off) mine.push_back(one);
    // Those that are as they should be are kept first, then the low numbers.
    while (static_cast<int>(mine.size()) > scale) {
      TRY(stop_and_remove(engine_, mine.back(), request_.timeout, false, tell_, cancel_));
      mine.pop_back();
    }
    std::set<int> used;
    for (const auto& one : mine) used.insert(one.number);
    std::vector<std::function<Result<>()>> work;
    for (const auto& one : mine) {
      const bool differs = one.hash != hash || one.image != image_id || depends_on_recreated(service);
      const bool forced = request_.force_recreate && (named || request_.always_recreate_dependencies || request_.services.empty());
      if (!request_.no_recreate && (forced || differs)) {
        {
          const std::lock_guard lock(mutex_);
          recreated_.insert(name);
        }
        TRY(recreate(name, one, image_id));
      } else if (engine::is_running(one.row)) {
        tell_("Container", one.row.name, "Running");
      }
    }
    for (int number = 1; static_cast<int>(used.size()) < scale; ++number) {
      if (!used.insert(number).second) continue;
      const std::string shown = container_name(project_, name, number);
      tell_("Container", shown, "Creating");
      TRY(create({.service = name, .number = number, .one_off = false, .name = {}, .image_id = image_id, .anonymous_volumes = {}}));
      tell_("Container", shown, "Created");
    }
    return {};
  }

 private:
  /// Sharing a namespace with, or mounting from, a container that is new.
  bool depends_on_recreated(const Value& service) {
    const std::lock_guard lock(mutex_);
    const auto is_new = [&](std::string_view name) { return recreated_.contains(std::string(name)); };
    for (const char* member : {"network_mode", "ipc", "pid"})
      if (const std::string mode = service.string_or(member); mode.starts_with("service:") && is_new(std::string_view(mode).substr(8))) return true;
    for (const auto& from : service.strings("volumes_from"))
      if (is_new(from.substr(0, from.find(':')))) return true;
    return false;
  }

  Result<std::string> create(const ServiceContainer& wanted) {
    auto request = TRY(container_request(engine_, project_, wanted));
    return engine::create_container(engine_, std::move(request), cancel_);
  }

  Result<> recreate(const std::string& name, const ProjectContainer& old, const std::string& image_id) {
    tell_("Container", old.row.name, "Recreate");
    ServiceContainer wanted{.service = name, .number = old.number, .one_off = false, .name = {}, .image_id = image_id, .anonymous_volumes = {}};
    if (!request_.renew_volumes) {
      const auto definition = TRY(container::from_document(old.row.definition));
      container::VolumeTable table(engine_.database());
      for (const auto& point : definition.mount_points) {
        if (point.type != container::MountRequest::Type::volume) continue;
        const auto volume = TRY(table.find(point.name));
        if (volume && volume->anonymous) wanted.anonymous_volumes[point.target] = point.name;
      }
    }
    // Under another name until the new one is there: a failure leaves the old one as it was.
    const std::string aside = old.row.id.substr(0, kShortDigits) + "_" + old.row.name;
    TRY(engine::rename_container(engine_, old.row.id, aside));
    auto made = create(wanted);
    if (!made) {
      (void)engine::rename_container(engine_, old.row.id, old.row.name);
      return fail(std::move(made).error());
    }
    if (engine::is_running(old.row)) TRY(engine::stop_container(engine_, old.row.id, request_.timeout, "", cancel_));
    TRY(engine::remove_container(engine_, old.row.id, {.force = true, .volumes = false}, cancel_));
    tell_("Container", old.row.name, "Recreated");
    return {};
  }

  engine::Engine& engine_;
  const Project& project_;
  const UpRequest& request_;
  Teller& tell_;
  const task::Cancel& cancel_;
  std::mutex mutex_;
  std::set<std::string> recreated_;
};

/// Until the dependency is as far as `condition` says.
Result<> await(engine::Engine& engine, const ProjectContainer& one, const std::string& condition, bool required, Teller& tell, const task::Cancel& cancel) {
  const std::string& name = one.row.name;
  tell("Container", name, "Waiting");
  const auto failed = [&](std::string why) -> Result<> {
    if (!required) {
      tell("Container", name, "Skipped - " + why);
      return {};
    }
    tell("Container", name, "Error");
    return failf(Errc::unavailable, "dependency failed to start: {}", why);
  };
  for (;;) {
    TRY(cancel.check());
    const auto row = engine::find_container(engine, one.row.id);
    if (!row) return failed(format("container {} is gone", name));
    const bool ended = row->state.status == container::Status::exited || row->state.status == container::Status::dead;
    if (condition == "service_completed_successfully") {
      if (ended && row->state.exit_code == 0) {
        tell("Container", name, "Exited");
        return {};
      }
      if (ended && required) {
        tell("Container", name, format("service {} didn't complete successfully: exit {}", quoted(one.service), row->state.exit_code));
        return failf(Errc::unavailable, "service {} didn't complete successfully: exit {}", quoted(one.service), row->state.exit_code);
      }
      if (ended) return failed(format("service {} didn't complete successfully: exit {}", quoted(one.service), row->state.exit_code));
    } else {
      const std::string health = engine::health_word(row->state);
      if (ended) return failed(format("container {} exited ({})", name, row->state.exit_code));
      if (health.empty() || health == "none") return failed(format("container {} has no healthcheck configured", name));
      if (health == "unhealthy") return failed(format("container {} is unhealthy", name));
      if (health == "healthy") {
        tell("Container", name, "Healthy");
        return {};
      }
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

std::vector<std::string> selected(const Project& project, const std::vector<std::string>& services, bool no_dependencies) {
  std::vector<std::string> out;
  for (const auto& name : project.in_order()) {
    const bool named = services.empty() || std::ranges::count(services, name);
    if (named || (!no_dependencies && is_wanted(project, services, name))) out.push_back(name);
  }
  return out;
}

Result<> each_at_once(const std::vector<ProjectContainer>& containers, const std::function<Result<>(const ProjectContainer&)>& work) {
  if (containers.empty()) return {};
  return all_at_once<ProjectContainer>(containers, work);
}

Result<> create_all(engine::Engine& engine, const Project& project, const UpRequest& request, const Progress& progress, const std::function<void(std::string_view)>& warn, const task::Cancel& cancel) {
  Teller tell(progress);
  TRY(make_networks(engine, project, tell, cancel));
  TRY(make_volumes(engine, project, tell));
  const auto existing = TRY(project_containers(engine, project.name));
  std::vector<ProjectContainer> orphans;
  std::vector<std::string> orphan_names;
  for (const auto& one : existing)
    if (!one.one_off && !project.service(one.service) && !project.disabled.find(one.service)) {
      orphans.push_back(one);
      orphan_names.push_back(one.row.name);
    }
  if (request.remove_orphans)
    TRY(each_at_once(orphans, [&](const ProjectContainer& one) { return stop_and_remove(engine, one, request.timeout, false, tell, cancel); }));
  else if (!orphans.empty() && warn)
    warn(format("Found orphan containers ([{}]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.", join(orphan_names, " ")));
  Creator creator(engine, project, request, tell, cancel);
  const auto services = selected(project, request.services, request.no_dependencies);
  for (const auto& level : levels(project, services))
    if (!level.empty())
      TRY(all_at_once<std::string>(level, [&](const std::string& name) -> Result<> {
        const bool named = request.services.empty() || std::ranges::count(request.services, name) > 0;
        return creator.service(name, existing, named);
      }));
  return {};
}

Result<> start_all(engine::Engine& engine, const Project& project, const std::vector<std::string>& services, const Progress& progress, const task::Cancel& cancel) {
  Teller tell(progress);
  for (const auto& level : levels(project, services)) {
    if (level.empty()) continue;
    const auto containers = TRY(project_containers(engine, project.name));
    TRY(all_at_once<std::string>(level, [&](const std::string& name) -> Result<> {
      const auto* service = project.service(name);
      std::vector<ProjectContainer> mine;
      for (const auto& one : containers)
        if (one.service == name && !one.one_off && !engine::is_running(one.row)) mine.push_back(one);
      if (mine.empty()) return {};
      if (const auto* needs = service ? service->find("depends_on") : nullptr; needs && needs->is_object())
        for (const auto& [other, how] : needs->as_object()) {
          const std::string condition = how.string_or("condition", "service_started");
          if (condition == "service_started") continue;
          for (const auto& one : containers)
            if (one.service == other && !one.one_off) TRY(await(engine, one, condition, how.bool_or("required", true), tell, cancel));
        }
      return each_at_once(mine, [&](const ProjectContainer& one) -> Result<> {
        tell("Container", one.row.name, "Starting");
        auto started = engine::start_container(engine, one.row.id, nullptr, cancel);
        if (!started) {
          tell("Container", one.row.name, "Error");
          return fail(std::move(started).error());
        }
        tell("Container", one.row.name, "Started");
        return {};
      });
    }));
  }
  return {};
}

Result<> wait_until_up(engine::Engine& engine, const Project& project, const std::vector<std::string>& services, int seconds, const Progress& progress, const task::Cancel& cancel) {
  Teller tell(progress);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  const auto containers = TRY(project_containers(engine, project.name));
  std::vector<ProjectContainer> mine;
  for (const auto& one : containers)
    if (std::ranges::count(services, one.service) && !one.one_off) mine.push_back(one);
  return each_at_once(mine, [&](const ProjectContainer& one) -> Result<> {
    tell("Container", one.row.name, "Waiting");
    for (;;) {
      TRY(cancel.check());
      const auto row = TRY(engine::find_container(engine, one.row.id));
      const std::string health = engine::health_word(row.state);
      if (!engine::is_running(row)) {
        tell("Container", row.name, "Error");
        return failf(Errc::unavailable, "container {} exited ({})", row.name, row.state.exit_code);
      }
      if (health == "unhealthy") {
        tell("Container", row.name, "Error");
        return failf(Errc::unavailable, "container {} is unhealthy", row.name);
      }
      if (health.empty() || health == "none" || health == "healthy") {
        tell("Container", row.name, "Healthy");
        return {};
      }
      if (seconds > 0 && std::chrono::steady_clock::now() > until) return failf(Errc::unavailable, "timeout waiting for the project to be up: container {} is {}", row.name, health);
      std::this_thread::sleep_for(kLook);
    }
  });
}

Result<> stop_all(engine::Engine& engine, const Project& project, const std::vector<std::string>& services, std::optional<int> timeout, const Progress& progress, const task::Cancel& cancel) {
  Teller tell(progress);
  const auto containers = TRY(project_containers(engine, project.name));
  auto order = levels(project, services.empty() ? project.in_order() : services);
  std::ranges::reverse(order);
  for (const auto& level : order) {
    std::vector<ProjectContainer> mine;
    for (const auto& one : containers)
      if (std::ranges::count(level, one.service) && engine::is_running(one.row) && (!one.one_off || services.empty())) mine.push_back(one);
    TRY(each_at_once(mine, [&](const ProjectContainer& one) -> Result<> {
      tell("Container", one.row.name, "Stopping");
      TRY(engine::stop_container(engine, one.row.id, timeout, "", cancel));
      tell("Container", one.row.name, "Stopped");
      return {};
    }));
  }
  return {};
}

Result<bool> remove_all(engine::Engine& engine, const Project& project, const DownRequest& request, const Progress& progress, const task::Cancel& cancel) {
  Teller tell(progress);
  const auto containers = TRY(project_containers(engine, project.name));
  bool any = false;
  std::set<std::string> done;
  auto order = levels(project, request.services.empty() ? project.in_order() : request.services);
  std::ranges::reverse(order);
  const auto remove = [&](const std::vector<ProjectContainer>& mine) -> Result<> {
    any = any || !mine.empty();
    return each_at_once(mine, [&](const ProjectContainer& one) { return stop_and_remove(engine, one, request.timeout, request.volumes, tell, cancel); });
  };
  for (const auto& level : order) {
    std::vector<ProjectContainer> mine;
    for (const auto& one : containers)
      if (std::ranges::count(level, one.service) && done.insert(one.row.id).second) mine.push_back(one);
    TRY(remove(mine));
  }
  std::vector<ProjectContainer> rest;
  for (const auto& one : containers) {
    const bool orphan = !project.service(one.service);
    if (!done.contains(one.row.id) && request.services.empty() && (!orphan || request.remove_orphans || one.one_off || project.disabled.find(one.service))) rest.push_back(one);
  }
  TRY(remove(rest));
  if (!request.services.empty()) return any;
  // By their labels: also those that the files no longer have.
  container::NetworkTable networks(engine.database());
  const auto all = TRY(networks.list());
  for (const auto& network : all) {
    const bool ours = std::ranges::any_of(network.labels, [&](const auto& one) { return one.first == kProjectLabel && one.second == project.name; });
    if (!ours) continue;
    any = true;
    tell("Network", network.name, "Removing");
    auto removed = engine::remove_network(engine, network.id, cancel);
    if (!removed && removed.error().code() == Errc::conflict) {
      tell("Network", network.name, "Resource is still in use");
      continue;
    }
    TRY(std::move(removed));
    tell("Network", network.name, "Removed");
  }
  if (request.volumes) {
    const auto volumes = TRY(container::VolumeTable(engine.database()).list());
    for (const auto& volume : volumes) {
      const bool ours = std::ranges::any_of(volume.labels, [&](const auto& one) { return one.first == kProjectLabel && one.second == project.name; });
      if (!ours) continue;
      any = true;
      tell("Volume", volume.name, "Removing");
      auto removed = engine::remove_volume(engine, volume.name);
      if (!removed && removed.error().code() == Errc::conflict) {
        tell("Volume", volume.name, "Resource is still in use");
        continue;
      }
      TRY(std::move(removed));
      tell("Volume", volume.name, "Removed");
    }
  }
  if (!request.images.empty()) {
    std::set<std::string> images;
    for (const auto& [name, service] : project.services().as_object())
      if (request.images == "all" || service.string_or("image").empty()) images.insert(image_name(project, name, service));
    for (const auto& image : images) {
      if (!engine.images().resolve(image)) continue;
      any = true;
      tell("Image", image, "Removing");
      auto removed = engine::remove_image(engine, {.name = image});
      tell("Image", image, removed ? "Removed" : removed.error().code() == Errc::conflict ? "Resource is still in use" : "Error");
    }
  }
  const std::string own = format("{}/compose/{}", engine.root(), project.name);
  if (sys::exists(own)) TRY(sys::remove_tree(own));
  return any;
}

}  // namespace mica::compose
