/// What a Repository holds, and how it goes from place to place.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "registry/client.h"
#include "registry/request.h"

namespace mica::registry {

struct Repository::State {
  std::shared_ptr<Session> session;
  std::string registry, path, name;            ///< name: "example.com/app", for messages
  Access access = Access::pull;
  std::vector<std::unique_ptr<Place>> places;
  mutable Guarded<std::map<oci::Digest, const Place*>> gave;            ///< whose bytes a blob's were, last
  mutable Guarded<std::set<const Place*>> distrusted;                   ///< mirrors with wrong bytes

  Place& last() const { return *places.back(); }
  /// "reading manifest of example.com/app:1".
  std::string doing(std::string_view action, const oci::Reference& what) const;
  std::string doing(std::string_view action, const oci::Digest& blob) const;

  enum class Needs { tag, digest };
  static Needs needs_of(const oci::Reference& what) { return what.digest.empty() ? Needs::tag : Needs::digest; }
  /// Runs `work` at one place after the other until one does it; mirrors that fail are passed over. Ends at once with an error that no other
  /// place can help with (cancelled, the caller's own). The error of the last place; with mirrors it lists what each one said.
  template <class T>
  Result<T> anywhere(Needs needs, const std::function<Result<T>(Place&)>& work) const {
    std::vector<Error> failed;
    for (Place* place : candidates(needs)) {
      auto done = work(*place);
      if (done || !goes_on(*place, done.error(), failed)) return done;
    }
    return fail(all_failed(std::move(failed)));
  }

  std::vector<Place*> candidates(Needs needs) const;
  bool goes_on(Place& place, const Error& error, std::vector<Error>& failed) const;
  Error all_failed(std::vector<Error> failed) const;
};

/// The value of a member that a document's sender repeats in its header: without parameters, lower case.
std::string media_type_of(std::string_view content_type);

/// Where the next page is: the target of a Link header with rel="next", absolute; empty: this was the last one.
std::string next_page(const Reply& reply);

}  // namespace mica::registry
