/// What the parts of the registry server share: a call, the parts' functions, and how a refusal looks.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "http/incoming.h"
#include "registry/server.h"
#include "registry/server_auth.h"
#include "registry/server_routes.h"
#include "registry/server_uploads.h"
#include "registry/storage.h"

namespace mica::registry {

struct RegistryServer::State {
  Storage& storage;
  bool read_only = false;
  std::unique_ptr<PasswordFile> passwords;   // null: everybody may
  Uploads uploads;
};

inline constexpr std::size_t kMaxDocumentBytes = 4 << 20;   ///< of a manifest or index that is pushed (the spec's least)

/// A request whose repository name has been checked. Valid during the first look only: who takes a body copies what it needs.
struct Call {
  RegistryServer::State& server;
  const http::IncomingRequest& request;
  const Route& route;
};

// server_documents.cc
http::Reply get_document(const Call& call);
http::Answer put_document(const Call& call);
http::Reply delete_document(const Call& call);
// server_blobs.cc
http::Reply get_blob(const Call& call);
http::Reply delete_blob(const Call& call);
// server_push.cc
http::Answer begin_upload(const Call& call);
http::Answer append_upload(const Call& call);
http::Answer finish_upload(const Call& call);
http::Reply upload_state(const Call& call);
http::Reply cancel_upload(const Call& call);
// server_listing.cc
http::Reply list_tags(const Call& call);
http::Reply list_repositories(const Call& call);
http::Reply list_referrers(const Call& call);

/// The spec's error body. `code` is one of its table, "Error Codes".
http::Reply refusal(int status, std::string_view code, std::string_view message);
/// For an error of the storage; `missing` is the code when it is not_found.
http::Reply refusal(const Error& error, std::string_view missing);
http::Reply reply(int status, std::string location = "");
/// The digest as the spec's examples have it, with a remark on what is wrong: 400 DIGEST_INVALID.
http::Reply bad_digest(const Error& error);

}  // namespace mica::registry
