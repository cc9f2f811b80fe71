/// What names in FROM and from= stand for: images, folders of named contexts, or nothing.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "build/base_images.h"
#include "build/plan_faults.h"
#include "build/plan_named.h"
#include "build/planner.h"

namespace mica::build {

struct Base {
  std::optional<BaseImage> image;  ///< nullopt: a folder
  const NamedContext* folder = nullptr;
  std::string shown;  ///< "docker.io/library/alpine:3.20@sha256:…"
  oci::Platform platform;
};

class Bases {
 public:
  Bases(BaseImages& images, const NamedContexts& named, const PlanRequest& request)
      : images_(images), named_(named), request_(request) {}

  /// Notes that `name` is wanted on `platform`. `replacement`: the named context that takes the place of the stage itself.
  /// A number to ask with; equal wishes share it.
  int want(const std::string& name, const oci::Platform& platform, const NamedContext* replacement,
           const dockerfile::Range& where);
  /// Resolves what is wanted and not resolved yet; side by side with a pool. Errors go to `faults` at the place of the first
  /// wish. False when there were errors or the build was cancelled.
  bool resolve(Faults& faults, std::span<const std::string_view> stage_names, task::Cancel cancel);
  const Base& at(int number) const { return *wishes_[static_cast<std::size_t>(number)].base; }

 private:
  struct Wish {
    std::string name;
    oci::Platform platform;
    const NamedContext* context = nullptr;
    dockerfile::Range where;
    std::optional<Base> base;
  };
  Result<Base> resolve_one(const Wish& wish, task::Cancel cancel) const;

  BaseImages& images_;
  const NamedContexts& named_;
  const PlanRequest& request_;
  std::vector<Wish> wishes_;
};

}  // namespace mica::build
