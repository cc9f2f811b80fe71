-- The tables of a store of format version 1, as 0.1 made them, with one image under two names.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE image (
  id TEXT PRIMARY KEY,
  layers TEXT NOT NULL,
  manifest TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  created INTEGER NOT NULL,
  added INTEGER NOT NULL,
  os TEXT NOT NULL,
  architecture TEXT NOT NULL,
  variant TEXT NOT NULL,
  os_version TEXT NOT NULL,
  labels TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO image VALUES('877ea4d88ddfa2a9bfc0d1410db41fc456a38ceb55a193bb67c14fb94c07604c','358fea44fb415287','',1982469,1795584069265043693,1795584069279535777,'linux','amd64','','','4:team1:x');
CREATE TABLE name (
  registry TEXT NOT NULL,
  path TEXT NOT NULL,
  tag TEXT NOT NULL,
  image TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE,
  tagged INTEGER NOT NULL,
  PRIMARY KEY (registry, path, tag)
) STRICT, WITHOUT ROWID;
INSERT INTO name VALUES('docker.io','library/app','latest','877ea4d88ddfa2a9bfc0d1410db41fc456a38ceb55a193bb67c14fb94c07604c',1795584069331390177);
INSERT INTO name VALUES('example.com','team/app','1','877ea4d88ddfa2a9bfc0d1410db41fc456a38ceb55a193bb67c14fb94c07604c',1795584069335821832);
CREATE TABLE known_digest (
  registry TEXT NOT NULL,
  path TEXT NOT NULL,
  manifest TEXT NOT NULL,
  image TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE,
  known INTEGER NOT NULL,
  PRIMARY KEY (registry, path, manifest)
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
  token TEXT NOT NULL,
  layer TEXT NOT NULL,
  PRIMARY KEY (token, layer)
) STRICT, WITHOUT ROWID;
CREATE TABLE layer_blob (
  diff_id TEXT NOT NULL,            -- 64 hex digits
  digest TEXT NOT NULL,             -- of the blob, 64 hex digits
  media_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  original INTEGER NOT NULL,        -- 1: came from elsewhere
  PRIMARY KEY (diff_id, digest)
) WITHOUT ROWID;
CREATE TABLE layer (
  id TEXT PRIMARY KEY,
  diff_id TEXT,                     -- 64 hex digits, once known
  content_id TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  created_ns INTEGER NOT NULL,
  parent_key TEXT NOT NULL,         -- chain_key of the only chain it fits on, or ''
  durable INTEGER NOT NULL DEFAULT 0,
  boot_id TEXT NOT NULL             -- of the kernel that ran when it was made
) STRICT, WITHOUT ROWID;
INSERT INTO layer VALUES('358fea44fb415287','3dc288a9e45dd807dc852dae31ae0c4e2dfa1c262ca65f655139228cede03b0b','c5eefc1c800abc18b84d2a09c34624edaf51a91245baeaf617ffdbe90897c153',1982469,99,1795584069277814841,'',1,'');
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  weak TEXT NOT NULL,             -- key over the declared parts
  strong TEXT NOT NULL UNIQUE,    -- key over all parts
  conditions BLOB,                -- what the step read, when it hits by that; NULL: by its strong key only
  place TEXT NOT NULL,
  instruction TEXT NOT NULL,
  layer TEXT NOT NULL,            -- the result, a delta
  tree TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  created_ns INTEGER NOT NULL,
  used_ns INTEGER NOT NULL,
  parts TEXT NOT NULL,            -- hex of a blob
  log TEXT NOT NULL               -- hex of a blob, or empty
);
CREATE TABLE eviction (
  strong TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  when_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE file_hash (
  device INTEGER NOT NULL,
  folder INTEGER NOT NULL,        -- inode of the folder
  used_ns INTEGER NOT NULL,
  files BLOB NOT NULL,            -- docs/formats/file-hashes.md
  PRIMARY KEY (device, folder)
) WITHOUT ROWID;
CREATE TABLE build_report (
  id INTEGER PRIMARY KEY,
  image TEXT NOT NULL,            -- hex of the image id, or empty when the build failed or stored no image
  started_ns INTEGER NOT NULL,
  report BLOB NOT NULL            -- JSON: build/report.h
);
CREATE INDEX name_image ON name(image);
CREATE INDEX known_digest_image ON known_digest(image);
CREATE INDEX layer_blob_digest ON layer_blob(digest);
CREATE INDEX layer_diff_id ON layer (diff_id) WHERE diff_id IS NOT NULL;
CREATE INDEX layer_not_durable ON layer (boot_id) WHERE durable = 0;
CREATE INDEX record_weak ON record(weak, created_ns);
CREATE INDEX record_place ON record(place, created_ns);
CREATE INDEX record_layer ON record(layer);
CREATE INDEX build_report_image ON build_report(image, started_ns);
COMMIT;
PRAGMA user_version=1;
PRAGMA application_id=1835623265;
