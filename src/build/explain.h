/// Why a step hit or ran, from its key parts and the records near it.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "build/key.h"
#include "build/records.h"
#include "store/blob_store.h"

namespace mica::build {

/// The parts of a record, from its blob. Errors: not_found, corrupt.
Result<Parts> parts_of(const store::BlobStore& blobs, const Record& record);
/// Parts as a record's blob holds them. Of a large context they take a tenth of the memory.
Result<std::string> pack_parts(const Parts& parts);

/// For a step that ran: lines such as "server.js changed: 3b1f… to 90aa…", against the record of `near` with the fewest
/// differences; "no earlier run of this step is known"; "its result was removed by prune on 2026-03-01 12:00". Never empty.
/// `parent_name`: the step whose result is the parent, for "the root filesystem below changed".
std::vector<std::string> why_it_ran(const Parts& parts, const std::vector<Record>& near, const std::optional<Eviction>& eviction,
                                    const store::BlobStore& blobs, const std::string& parent_name);
/// For a hit: what is the same: "same instruction, same root filesystem below (1f0c…), 14 files unchanged; ran 2026-03-01 12:00 in 3.1s".
std::vector<std::string> why_it_hit(const Parts& parts, const Record& record, bool parent_ran);

}  // namespace mica::build
