/// Archives as places of copying: OCI layouts in a tar, and Docker's archives. Internal to image_places.cc.
///
/// A Docker archive has no manifest that could be kept: reading it makes one, with the layers as they are when they are compressed, else
/// gzipped (always to the same bytes). Writing one needs the layers plain, and leaves the manifest out: its digest ends there.
#pragma once
#include "engine/archive_files.h"
#include "engine/image_places.h"
#include "sys/fd.h"

namespace mica::engine {

Result<std::unique_ptr<ImageSource>> oci_archive_source(const ImagePlace& place, task::Cancel cancel);
Result<std::unique_ptr<ImageTarget>> oci_archive_target(const ImagePlace& place);
Result<std::unique_ptr<ImageSource>> docker_archive_source(CopySession& session, const ImagePlace& place, task::Cancel cancel);
Result<std::unique_ptr<ImageTarget>> docker_archive_target(const ImagePlace& place);

/// The files of an archive: spooled to `folder`, or of a folder that somebody unpacked.
Result<ArchiveFiles> open_archive(const ImagePlace& place, const std::string& folder, task::Cancel cancel);
/// A folder for what an archive is made of: where the archive goes to.
Result<sys::TempDir> folder_beside(const std::string& path);

}  // namespace mica::engine
