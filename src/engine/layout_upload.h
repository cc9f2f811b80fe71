/// An upload into an OCI layout folder.
#pragma once
#include <memory>
#include <string>

#include "base/sha256.h"
#include "registry/storage.h"
#include "sys/lock.h"

namespace mica::engine {

class LayoutUpload : public registry::StoredUpload {
 public:
  /// `layout`: the folder with blobs/sha256.
  static Result<std::unique_ptr<LayoutUpload>> begin(const std::string& layout);
  /// Removes what uploads of dead processes left.
  static void sweep(const std::string& layout);
  ~LayoutUpload() override;
  std::int64_t size() const override { return size_; }
  Result<> append(std::span<const unsigned char> bytes) override;
  Result<> commit(const oci::Digest& expected) override;

 private:
  LayoutUpload(std::string layout, std::string path, sys::FileLock file) : layout_(std::move(layout)), path_(std::move(path)), file_(std::move(file)) {}
  std::string layout_, path_;      // path_ empty: there is no file of ours any more
  sys::FileLock file_;
  Sha256 hash_;
  std::int64_t size_ = 0, pushed_out_ = 0;
};

}  // namespace mica::engine
