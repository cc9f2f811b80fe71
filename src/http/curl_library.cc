#include "http/curl_library.h"

#include <dlfcn.h>

#include "base/format.h"

namespace mica::http {
namespace {

// Debian's two flavours; they differ in the TLS library only.
constexpr const char* kNames[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
constexpr const char* kHint = "install it (on Debian: apt-get install libcurl4)";

struct Loaded {
  CurlLibrary library{};
  std::optional<Error> error;
};

template <class Function>
bool find(void* handle, const char* name, Function& into) {
  into = reinterpret_cast<Function>(::dlsym(handle, name));
  return into != nullptr;
}

std::optional<Error> fill(void* handle, CurlLibrary& c) {
  const char* missing = nullptr;
#define MICA_CURL(prefix, name) \
  if (!missing && !find(handle, #prefix #name, c.name)) missing = #prefix #name
  MICA_CURL(curl_, global_init);
  MICA_CURL(curl_, version_info);
  MICA_CURL(curl_, easy_init);
  MICA_CURL(curl_, easy_reset);
  MICA_CURL(curl_, easy_cleanup);
  MICA_CURL(curl_, easy_setopt);
  MICA_CURL(curl_, easy_getinfo);
  MICA_CURL(curl_, easy_perform);
  MICA_CURL(curl_, easy_recv);
  MICA_CURL(curl_, easy_strerror);
  MICA_CURL(curl_, multi_init);
  MICA_CURL(curl_, multi_cleanup);
  MICA_CURL(curl_, multi_setopt);
  MICA_CURL(curl_, multi_add_handle);
  MICA_CURL(curl_, multi_remove_handle);
  MICA_CURL(curl_, multi_perform);
  MICA_CURL(curl_, multi_poll);
  MICA_CURL(curl_, multi_info_read);
  MICA_CURL(curl_, multi_strerror);
  MICA_CURL(curl_, share_init);
  MICA_CURL(curl_, share_setopt);
  MICA_CURL(curl_, share_cleanup);
  MICA_CURL(curl_, slist_append);
  MICA_CURL(curl_, slist_free_all);
  MICA_CURL(curl_, url);
  MICA_CURL(curl_, url_cleanup);
  MICA_CURL(curl_, url_set);
  MICA_CURL(curl_, url_get);
  MICA_CURL(curl_, free);
#undef MICA_CURL
  if (missing) return Error(Errc::unsupported, format("the installed libcurl is too old: it lacks {}", missing)).with_hint("version 7.66 or newer is needed");
  return std::nullopt;
}

Loaded load() {
  Loaded out;
  void* handle = nullptr;
  for (const char* name : kNames)
    if (!handle) handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* why = ::dlerror();
    out.error = Error(Errc::unsupported, format("libcurl cannot be loaded: {}", why ? why : "not found")).with_hint(kHint);
    return out;
  }
  out.error = fill(handle, out.library);
  if (!out.error && out.library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) out.error = Error(Errc::internal, "libcurl does not start");
  return out;
}

}  // namespace

Result<const CurlLibrary*> curl_library() {
  static const Loaded loaded = load();
  if (loaded.error) return fail(*loaded.error);
  return &loaded.library;
}

}  // namespace mica::http
