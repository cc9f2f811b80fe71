/// libmicrohttpd's functions, found when first asked for. For the .cc files of this module only.
#pragma once
#include <microhttpd.h>

#include "base/error.h"

namespace mica::http {

struct MhdLibrary {
  decltype(&::MHD_start_daemon) start_daemon;
  decltype(&::MHD_stop_daemon) stop_daemon;
  decltype(&::MHD_quiesce_daemon) quiesce_daemon;
  decltype(&::MHD_is_feature_supported) is_feature_supported;
  decltype(&::MHD_get_connection_info) get_connection_info;
  decltype(&::MHD_get_connection_values) get_connection_values;
  decltype(&::MHD_queue_response) queue_response;
  decltype(&::MHD_destroy_response) destroy_response;
  decltype(&::MHD_add_response_header) add_response_header;
  decltype(&::MHD_create_response_from_buffer) create_response_from_buffer;
  decltype(&::MHD_create_response_from_fd_at_offset64) create_response_from_fd_at_offset64;
  decltype(&::MHD_create_response_from_callback) create_response_from_callback;
};

/// The same object for the life of the process; thread-safe. Errors: unsupported (not installed, or too old).
Result<const MhdLibrary*> mhd_library();

}  // namespace mica::http
