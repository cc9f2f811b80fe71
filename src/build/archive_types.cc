#include "build/archive_types.h"

namespace mica::build {

snapshot::Type type_of(archive::EntryType type) {
  using archive::EntryType;
  using snapshot::Type;
  switch (type) {
    case EntryType::char_device:
      return Type::char_device;
    case EntryType::block_device:
      return Type::block_device;
    case EntryType::fifo:
      return Type::fifo;
    case EntryType::directory:
      return Type::directory;
    case EntryType::symlink:
      return Type::symlink;
    case EntryType::file:
    case EntryType::hard_link:
      break;
  }
  return Type::file;
}

}  // namespace mica::build
