#include "registry/certs_d.h"

#include <fcntl.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "registry/user_folders.h"
#include "sys/fd.h"

namespace mica::registry {
namespace {

bool has(const std::vector<std::string>& names, const std::string& name) { return std::ranges::binary_search(names, name); }

Result<> add_folder(const std::string& folder, HostCertificates& found) {
  auto fd = sys::open(folder, O_RDONLY | O_DIRECTORY);
  if (!fd && (fd.error().code() == Errc::not_found || fd.error().os_number() == ENOTDIR)) return {};
  if (!fd) return fail(std::move(fd.error()).doing("reading certificates"));
  const std::vector<std::string> names = TRY_DOING(sys::list_names(*fd), format("reading certificates in {}", folder));
  for (const std::string& name : names) {
    const std::string path = join_path(folder, name);
    const std::string stem = name.substr(0, name.rfind('.'));
    if (name.ends_with(".crt")) found.authorities.push_back(path);
    if (name.ends_with(".key") && !has(names, stem + ".cert"))
      return failf(Errc::invalid_argument, "{} has no certificate beside it: {}.cert is missing", path, stem);
    if (!name.ends_with(".cert")) continue;
    if (!has(names, stem + ".key"))
      return fail(Error(Errc::invalid_argument, format("{} has no key beside it: {}.key is missing", path, stem))
                      .with_hint("authorities' certificates must be called *.crt"));
    if (!found.client_cert.empty()) continue;
    found.client_cert = path;
    found.client_key = join_path(folder, stem + ".key");
  }
  return {};
}

}  // namespace

std::vector<std::string> certs_d_folders(const std::string& system_root) {
  std::vector<std::string> folders;
  for (const char* folder : {"etc/docker/certs.d", "etc/containers/certs.d", "etc/containerd/certs.d"}) folders.push_back(join_path(system_root, folder));
  for (const char* folder : {"containers/certs.d", "docker/certs.d", "mica/certs.d"}) folders.push_back(join_path(config_home(), folder));
  return folders;
}

std::vector<std::string> folder_names(const std::string& host) {
  std::vector<std::string> names = {host};
  const auto colon = host.rfind(':');
  if (colon != host.npos && host.find(']', colon) == host.npos) names.push_back(format("{}_{}_", host.substr(0, colon), host.substr(colon + 1)));
  return names;
}

Result<HostCertificates> read_certificates(const std::vector<std::string>& folders, const std::vector<std::string>& hosts) {
  HostCertificates found;
  for (const std::string& folder : folders)
    for (const std::string& host : hosts)
      for (const std::string& name : folder_names(host)) TRY(add_folder(join_path(folder, name), found));
  return found;
}

}  // namespace mica::registry
