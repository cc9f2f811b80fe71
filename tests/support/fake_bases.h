/// A registry of images in memory, for the planner's tests.
#pragma once
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/format.h"
#include "build/base_images.h"

namespace mica::testing {

class FakeBases : public build::BaseImages {
 public:
  /// `config`: JSON of the config's "config" member; `layers`: how many.
  void add(const std::string& name, const std::string& config, int layers = 1,
           const std::string& platform = R"("architecture":"amd64")") {
    std::string diff_ids, history;
    for (int i = 0; i < layers; ++i) {
      diff_ids += (i ? "," : "") + std::string("\"") + oci::Digest::of(name + std::to_string(i)).str() + "\"";
      history += (i ? "," : "") + std::string(R"({"created":"2020-01-01T00:00:00Z","comment":"Imported from -"})");
    }
    const std::string text = "{" + platform + R"(,"os":"linux","config":)" + config +
                             R"(,"rootfs":{"type":"layers","diff_ids":[)" + diff_ids + R"(]},"history":[)" + history + "]}";
    images_[name] = {.name = name, .id = {oci::Digest::of(text)}, .manifest = {}, .config = *oci::ImageConfig::parse(text)};
  }

  Result<build::BaseImage> resolve(const std::string& name, const oci::Platform& platform, task::Cancel) override {
    const std::lock_guard lock(mutex_);
    asked.push_back(name + " " + platform.str());
    const auto found = images_.find(name);
    if (found == images_.end()) return failf(Errc::not_found, "no such image: {}", name);
    return found->second;
  }
  Result<snapshot::Chain> layers(const build::BaseImage&, task::Cancel) override { return snapshot::Chain{}; }

  std::vector<std::string> asked;

 private:
  std::mutex mutex_;
  std::map<std::string, build::BaseImage> images_;
};

}  // namespace mica::testing
