/// Fetching of URLs, as ADD and contexts need it. The engine implements it over its HTTP client.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "base/time.h"
#include "task/task.h"

namespace mica::build {

struct DownloadRequest {
  std::string url;          ///< http or https
  std::string into_folder;  ///< where the file is put, under a name of the callee's choice
  Secret authorization;     ///< value of the Authorization header; empty: none. Never sent to another host
};
struct Download {
  std::string path;                        ///< of the file
  std::string name;                        ///< last part of the URL's path, decoded; empty when there is none
  std::optional<Timestamp> last_modified;  ///< as the server says
  std::string etag;                        ///< verbatim; empty: none
};

/// Errors: not_found (404, 410), unauthorized, unavailable (with the status), cancelled.
using Downloader = std::function<Result<Download>(const DownloadRequest&, task::Cancel)>;

}  // namespace mica::build
