#include "engine/host_ca.h"

#include <unistd.h>

#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

constexpr const char* kBundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"};

}  // namespace

Result<std::string> find_ca_bundle(const std::string& choice) {
  if (choice != "host") {
    if (::access(choice.c_str(), R_OK) != 0) return fail(Error::os(errno, format("reading the CA bundle {}", quoted(choice))));
    if (choice.starts_with('/')) return choice;
    char folder[4096];
    if (!::getcwd(folder, sizeof folder)) return fail_errno("looking up the working directory");
    return join_path(folder, choice);
  }
  if (const char* named = std::getenv("SSL_CERT_FILE"); named && ::access(named, R_OK) == 0) return std::string(named);
  for (const char* path : kBundles)
    if (::access(path, R_OK) == 0) return std::string(path);
  return fail(Error(Errc::not_found, "this host has no CA bundle in a usual place").with_hint("name one: --ca PATH, or install ca-certificates"));
}

}  // namespace mica::engine
