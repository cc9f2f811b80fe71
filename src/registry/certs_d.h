/// certs.d: folders named after a registry, with certificates as files (containers-certs.d(5), Docker's "verify repository client with
/// certificates"):
///
///   HOST[:PORT]/*.crt             authorities (PEM) that this registry's certificate may come from, beside the system's
///   HOST[:PORT]/X.cert, X.key     a certificate to show to it, and its key
///   HOST[:PORT]/hosts.toml        containerd's settings: hosts_toml.h
#pragma once
#include <string>
#include <vector>

#include "base/error.h"

namespace mica::registry {

struct HostCertificates {
  std::vector<std::string> authorities;  ///< PEM files
  std::string client_cert, client_key;   ///< the first pair; empty: none
};

/// The certs.d folders of the system and of this user, in order of asking.
std::vector<std::string> certs_d_folders(const std::string& system_root);
/// Names that a folder for `host` may have: itself, and with a port containerd's "host_5000_".
std::vector<std::string> folder_names(const std::string& host);
/// What all of `folders` have for any of `hosts`. Errors: invalid_argument (a .cert without .key or the other way round, naming both),
/// permission_denied.
Result<HostCertificates> read_certificates(const std::vector<std::string>& folders, const std::vector<std::string>& hosts);

}  // namespace mica::registry
