/// The flags of `build`: buildx's and mica's own.
#pragma once
#include "cli/args.h"

namespace mica::cli {

inline constexpr Flag kBuildFlags[] = {
    {"add-host", 0, "strings", "Add a custom host-to-IP mapping (format: \"host:ip\")"},
    {"allow", 0, "stringArray", "Allow extra privileged entitlement (e.g.,\n\"network.host\", \"security.insecure\")"},
    {"annotation", 0, "stringArray", "Add annotation to the image"},
    {"attest", 0, "stringArray", "Attestation parameters (format:\n\"type=sbom,generator=image\")"},
    {"build-arg", 0, "stringArray", "Set build-time variables"},
    {"build-context", 0, "stringArray", "Additional build contexts (e.g., name=path)"},
    {"builder", 0, "string", "", "mica has one builder"},
    {"cache-from", 0, "stringArray", "External cache sources (e.g., \"user/app:cache\",\n\"type=local,src=path/to/dir\")"},
    {"cache-to", 0, "stringArray", "Cache export destinations (e.g.,\n\"user/app:cache\", \"type=local,dest=path/to/dir\")"},
    {"ca", 0, "string", "CA bundle that RUN steps see, in no layer and no key:\n\"host\" or a file"},
    {"call", 0, "string", "Set method for evaluating build (\"check\",\n\"outline\", \"targets\") (default \"build\")"},
    {"cgroup-parent", 0, "string", "Set the parent cgroup for the \"RUN\" instructions\nduring build"},
    {"check", 0, "", "Shorthand for \"--call=check\""},
    {"debug", 'D', "", "Open a shell in the failing step's state"},
    {"dry-run", 0, "", "Show the steps and whether each would run, and stop"},
    {"explain", 0, "", "Say for each step why it ran or what justified the hit"},
    {"file", 'f', "string", "Name of the Dockerfile (default: \"PATH/Dockerfile\")"},
    {"force-rm", 0, "", ""},
    {"iidfile", 0, "string", "Write the image ID to a file"},
    {"label", 0, "stringArray", "Set metadata for an image"},
    {"load", 0, "", "Shorthand for \"--output=type=docker\""},
    {"metadata-file", 0, "string", "Write build result metadata to a file"},
    {"network", 0, "string", "Set the networking mode for the \"RUN\"\ninstructions during build (default \"default\")"},
    {"no-cache", 0, "", "Do not use cache when building the image"},
    {"no-cache-filter", 0, "stringArray", "Do not cache specified stages"},
    {"output", 'o', "stringArray", "Output destination (format: \"type=local,dest=path\")"},
    {"platform", 0, "stringArray", "Set target platform for build"},
    {"progress", 0, "string", "Set type of progress output (\"auto\", \"none\",\n\"plain\", \"quiet\", \"rawjson\", \"tty\"). Use plain to\nshow container output (default \"auto\")"},
    {"provenance", 0, "string", "Shorthand for \"--attest=type=provenance\""},
    {"pull", 0, "", "Always attempt to pull all referenced images"},
    {"push", 0, "", "", "not supported yet by mica build: build with -t, then push"},
    {"quiet", 'q', "", "Suppress the build output and print image ID on\nsuccess"},
    {"replay-logs", 0, "", "Show the kept output of cached steps"},
    {"rm", 0, "", ""},
    {"sbom", 0, "string", "Shorthand for \"--attest=type=sbom\""},
    {"secret", 0, "stringArray", "Secret to expose to the build (format:\n\"id=mysecret[,src=/local/secret]\")"},
    {"shm-size", 0, "bytes", "Shared memory size for build containers"},
    {"ssh", 0, "stringArray", "SSH agent socket or keys to expose to the build\n(format: \"default|<id>[=<socket>|<key>[,<key>]]\")"},
    {"tag", 't', "stringArray", "Name and optionally a tag (format: \"name:tag\")"},
    {"target", 0, "string", "Set the target build stage to build"},
    {"timestamp", 0, "string", "Seconds since the epoch for created, history and\nfile times (as SOURCE_DATE_EPOCH)"},
    {"ulimit", 0, "ulimit", "Ulimit options"},
};

}  // namespace mica::cli
