// FROM: tags, platforms, registries.
#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/expand.h"
#include "dockerfile/parser.h"
#include "lint/reference_text.h"
#include "lint/rule.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

extern const Rule kRules[];
enum Index { untagged, latest, registry, platform, redundant_platform, foreign_platform, undefined_arg, default_arg, malformed, end_of_life_base, gpu };

Span word_span(const Inspection& in, const df::Stage& stage, const TextWord& word) { return in.span(stage, word.begin, word.end); }

/// Every image that is named: bases, COPY --from, mounts.
struct Used {
  std::string text;                 ///< variables replaced where they are known
  bool known = true;
  Span where;
  int line = 0;
  bool from = false;
};
template <class Visit>
void each_image(const Inspection& in, const Visit& visit) {
  for (const StageView& view : in.stages) {
    if (!view.stage->implied && !view.base_stage && !view.from_scratch)
      visit(Used{view.base, view.base_known, word_span(in, *view.stage, from_words(*view.stage).image), view.stage->where.line, true});
  }
  for (const InstructionView& view : in.instructions) {
    const df::Instruction& instruction = *view.instruction;
    const auto use = [&](std::string_view name, std::string_view flag) {
      if (name.empty() || name == "scratch" || in.stage_named(name, view.stage) || parse_int(name)) return;
      const auto word = find_flag(in, instruction, flag);
      Span where = word ? in.span(instruction, word->begin, word->end) : in.keyword(instruction);
      if (word) {
        const std::size_t at = word->text.find(name);
        if (at != word->text.npos) where = in.span(instruction, word->begin + at, word->begin + at + name.size());
      }
      visit(Used{std::string(name), name.find('$') == name.npos, where, view.line(), false});
    };
    if (const auto* copy = std::get_if<df::Copy>(&instruction.command)) use(copy->from, "from");
    if (const auto* run = std::get_if<df::Run>(&instruction.command))
      for (const std::string& mount : run->mounts)
        if (const auto spec = df::parse_mount(mount)) use(spec->from, "mount");
  }
}

/// A name without dot, colon and slash after --from is taken for a stage that is missing (DL3022), not for an image.
bool looks_like_image(const Used& used) { return used.from || used.text.find_first_of("/:.@") != used.text.npos; }

void check_tags(Inspection& in, bool want_untagged) {
  each_image(in, [&](const Used& used) {
    if (!used.known || !looks_like_image(used)) return;
    const ImageText image = split_image(used.text);
    if (!image.digest.empty() || image.path.empty()) return;
    if (want_untagged && image.tag.empty())
      in.report(kRules[untagged], used.where, used.line,
                format("{} has no tag: what it stands for changes from day to day", quoted(used.text)));
    if (!want_untagged && image.tag == "latest")
      in.report(kRules[latest], used.where, used.line,
                format("{} may be another image tomorrow: name a version", quoted(used.text)));
  });
}
void check_untagged(Inspection& in) { check_tags(in, true); }
void check_latest(Inspection& in) { check_tags(in, false); }

void check_registry(Inspection& in) {
  if (in.options.trusted_registries.empty()) return;
  each_image(in, [&](const Used& used) {
    if (!used.known || !looks_like_image(used)) return;
    const ImageText image = split_image(used.text);
    const std::string_view host = image.registry.empty() ? "docker.io" : image.registry;
    const bool trusted = std::ranges::any_of(in.options.trusted_registries, [&](const std::string& pattern) {
      return matches_ends(pattern, host) || (host == "docker.io" && matches_ends(pattern, "hub.docker.com"));
    });
    if (!trusted)
      in.report(kRules[registry], used.where, used.line, format("images of the registry {} are not allowed here", quoted(host)));
  });
}

struct PlatformText {
  TextWord word;
  std::string_view value;
};
std::optional<PlatformText> platform_of(const df::Stage& stage) {
  if (stage.platform.empty()) return std::nullopt;
  const FromWords words = from_words(stage);
  return PlatformText{words.platform, stage.platform};
}
/// Takes the flag and the blanks after it away.
Edit without_platform(const Inspection& in, const df::Stage& stage, const TextWord& word) {
  const std::string_view text = stage.text;
  const std::size_t end = std::min(text.find_first_not_of(" \t", word.end), text.size());
  return {in.span(stage, word.begin, end), ""};
}

void check_platform(Inspection& in) {
  for (const StageView& view : in.stages) {
    const auto platform_text = platform_of(*view.stage);
    if (!platform_text || platform_text->value.find('$') != std::string_view::npos) continue;
    // "build-arm64" says by its name that the platform is meant.
    const auto parts = split(platform_text->value, '/');
    const bool meant = !view.stage->name.empty() && std::ranges::any_of(parts, [&](std::string_view part) {
      return !part.empty() && view.stage->name.find(part) != std::string::npos;
    });
    if (meant) continue;
    in.report(kRules[platform], word_span(in, *view.stage, platform_text->word), view.stage->where.line,
              format("the platform {} is fixed: the image cannot be built for another", quoted(platform_text->value)),
              Fix{FixKind::ask, "remove --platform", {without_platform(in, *view.stage, platform_text->word)}});
  }
}

void check_redundant_platform(Inspection& in) {
  for (const StageView& view : in.stages) {
    const auto platform_text = platform_of(*view.stage);
    if (!platform_text || platform_text->value.find("TARGETPLATFORM") == std::string_view::npos) continue;
    // A default makes no difference: the variable is always set.
    constexpr std::string_view kValue = "\x01";
    const auto expanded = df::expand(platform_text->value, [&](std::string_view name) -> std::optional<std::string> {
      if (name == "TARGETPLATFORM") return std::string(kValue);
      return std::nullopt;
    }, {.escape = in.file.directives.escape});
    if (!expanded || expanded->text != kValue || !expanded->unset.empty()) continue;
    in.report(kRules[redundant_platform], word_span(in, *view.stage, platform_text->word), view.stage->where.line,
              "the target platform is what FROM takes without being told",
              Fix{FixKind::safe, "remove --platform", {without_platform(in, *view.stage, platform_text->word)}});
  }
}

constexpr std::array<std::string_view, 10> kPlatformArgs = {"BUILDPLATFORM",  "BUILDOS",  "BUILDOSVERSION",  "BUILDARCH",  "BUILDVARIANT",
                                                            "TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT"};
bool is_platform_arg(std::string_view name) {
  return std::ranges::find(kPlatformArgs, name) != kPlatformArgs.end() || name == "TARGETSTAGE";
}

void check_undefined_arg(Inspection& in) {
  std::vector<std::string_view> known(kPlatformArgs.begin(), kPlatformArgs.end());
  for (const auto& [name, value] : in.global_args)
    if (is_plain_name(name)) known.push_back(name);
  for (const StageView& view : in.stages) {
    const df::Stage& stage = *view.stage;
    for (const std::string* text : {&stage.base, &stage.platform}) {
      if (text->find('$') == std::string::npos) continue;
      const auto expanded = df::expand(*text, nullptr, {.escape = in.file.directives.escape});
      if (!expanded) continue;
      for (const std::string& name : expanded->unset) {
        if (in.global_args.contains(name) || is_platform_arg(name)) continue;
        const auto place = find_variable(stage.text, name);
        const Span where = place ? word_span(in, stage, *place) : in.whole(stage);
        std::string message = format("no ARG before the first FROM declares {}", name);
        std::optional<Fix> fix;
        if (const auto near = closest(name, known)) {
          message += format(" (did you mean {}?)", *near);
          if (place) {
            const std::string_view written = place->text;
            fix = one_edit(FixKind::ask, format("write {}", *near), where, replace_all(std::string(written), name, *near));
          }
        }
        in.report(kRules[undefined_arg], where, stage.where.line, std::move(message), std::move(fix));
      }
    }
  }
}

/// What FROM comes to when no --build-arg is given.
void check_default_arg(Inspection& in) {
  for (const StageView& view : in.stages) {
    const df::Stage& stage = *view.stage;
    if (stage.base.find('$') == std::string::npos) continue;
    bool declared = true;
    const auto value = [&](std::string_view name) -> std::optional<std::string> {
      if (is_platform_arg(name)) return "x";
      const auto found = in.global_args.find(name);
      declared &= found != in.global_args.end();
      return found == in.global_args.end() ? std::nullopt : found->second;
    };
    const auto expanded = df::expand(stage.base, value, {.escape = in.file.directives.escape});
    if (!expanded || !declared || is_image_reference(expanded->text)) continue;
    if (in.stage_named(expanded->text, view.index, false)) continue;
    in.report(kRules[default_arg], word_span(in, stage, from_words(stage).image), stage.where.line,
              expanded->text.empty() ? format("without --build-arg, {} is empty", stage.base)
                                     : format("without --build-arg, {} is {}, which is no image name", stage.base, quoted(expanded->text)));
  }
}

void check_malformed(Inspection& in) {
  for (const StageView& view : in.stages) {
    const df::Stage& stage = *view.stage;
    if (stage.implied || view.base_stage || stage.base.find('$') != std::string::npos || is_image_reference(stage.base)) continue;
    const FromWords words = from_words(stage);
    const std::string lower = to_lower(stage.base);
    std::optional<Fix> fix;
    if (is_image_reference(lower)) fix = one_edit(FixKind::ask, format("write {}", lower), word_span(in, stage, words.image), lower);
    in.report(kRules[malformed], word_span(in, stage, words.image), stage.where.line,
              format("{} is no image name{}", quoted(stage.base), fix ? ": names are in lower case" : ""), std::move(fix));
  }
}

void check_end_of_life(Inspection& in) {
  const std::string_view today = in.options.today.empty() ? kEndOfLifeRead : std::string_view(in.options.today);
  each_image(in, [&](const Used& used) {
    if (!used.known) return;
    const EndOfLife end = end_of_life(split_image(used.text));
    if (end.date.empty() || end.date >= today) return;
    in.report(kRules[end_of_life_base], used.where, used.line, format("{} gets no security fixes since {}", end.what, end.date));
  });
}

void check_gpu(Inspection& in) {
  for (const StageView& view : in.stages) {
    if (!view.exported || view.base_stage || !view.base_known) continue;
    const ImageText image = split_image(view.base);
    const bool cuda = image.name() == "nvidia/cuda" || image.name() == "nvidia/opengl" || image.name().ends_with("/cuda");
    if (!cuda || image.tag.find("devel") == image.tag.npos) continue;
    in.report(kRules[gpu], word_span(in, *view.stage, from_words(*view.stage).image), view.stage->where.line,
              format("{} holds compilers and headers of several gigabytes, and the image ships them", quoted(view.base)));
  }
}

const Rule kRules[] = {
    {.id = "DL3006",
     .severity = Severity::warning,
     .fix = FixKind::data,
     .summary = "image without tag or digest",
     .why = "Without a tag the registry's `latest` is taken. It changes without notice, so that the same Dockerfile gives another image "
            "tomorrow, and nobody can tell which one was built.",
     .practice = "Name a version, as exact as you can live with, or pin the digest with `mica lock`.",
     .bad = "FROM debian\nUSER 1000\n",
     .good = "FROM debian:12.9-slim\nUSER 1000\n",
     .check = check_untagged},
    {.id = "DL3007",
     .severity = Severity::warning,
     .fix = FixKind::data,
     .summary = "image tagged latest",
     .why = "`latest` is only a name that moves: a rebuild may bring a new major version, and two machines may build from different bases.",
     .practice = "Name a version instead of `latest`, or pin the digest with `mica lock`.",
     .bad = "FROM debian:latest\nUSER 1000\n",
     .good = "FROM debian:12.9-slim\nUSER 1000\n",
     .check = check_latest},
    {.id = "DL3026",
     .severity = Severity::error,
     .summary = "image from a registry that is not allowed",
     .why = "A team that checks or mirrors its base images wants no others to slip in. The list is `trustedRegistries` of the configuration.",
     .practice = "Use an image of a registry on the list, or have the registry added to it.",
     .bad = "FROM registry.example.com/app:1.0\nUSER 1000\n",
     .good = "FROM scratch\nUSER 1000\n",
     .check = check_registry},
    {.id = "DL3029",
     .aliases = "FromPlatformFlagConstDisallowed",
     .severity = Severity::warning,
     .fix = FixKind::ask,
     .summary = "FROM with a constant --platform",
     .why = "The stage is then built for this platform, whatever `build --platform` asks for: the result may hold programs that do not run where it is meant to.",
     .practice = "Leave the flag out, or use a variable such as $BUILDPLATFORM where a tool runs during the build only.",
     .bad = "FROM --platform=linux/amd64 debian:12.9\nUSER 1000\n",
     .good = "FROM --platform=$BUILDPLATFORM golang:1.25.3 AS build\nFROM debian:12.9\nCOPY --from=build /app /app\nUSER 1000\n",
     .check = check_platform},
    {.id = "DL3065",
     .aliases = "RedundantTargetPlatform",
     .severity = Severity::warning,
     .fix = FixKind::safe,
     .summary = "--platform=$TARGETPLATFORM, which is the default",
     .why = "FROM takes the image of the target platform anyway; the flag only makes readers look for a reason.",
     .practice = "Leave the flag out.",
     .bad = "FROM --platform=$TARGETPLATFORM debian:12.9\nUSER 1000\n",
     .good = "FROM debian:12.9\nUSER 1000\n",
     .check = check_redundant_platform},
    {.id = "InvalidBaseImagePlatform",
     .aliases = "platform-mismatch",
     .severity = Severity::warning,
     .summary = "base image of another platform than the target",
     .why = "Programs of another architecture do not run, or run slowly under emulation. A build sees it when it has the base image's configuration.",
     .practice = "Use a base that exists for the target platform, or say with --platform that another one is meant.",
     .bad = "",
     .good = ""},
    {.id = "UndefinedArgInFrom",
     .severity = Severity::warning,
     .fix = FixKind::ask,
     .summary = "FROM uses an ARG that is not declared",
     .why = "FROM sees only ARGs that stand before the first FROM. Another name is empty, and the build fails or takes the wrong image.",
     .practice = "Declare the ARG before the first FROM, with a default.",
     .bad = "ARG VERSION=12.9\nFROM debian:${VERSIN}\nUSER 1000\n",
     .good = "ARG VERSION=12.9\nFROM debian:${VERSION}\nUSER 1000\n",
     .check = check_undefined_arg},
    {.id = "InvalidDefaultArgInFrom",
     .severity = Severity::warning,
     .fix = FixKind::ask,
     .summary = "the defaults of ARGs make an empty or invalid image name",
     .why = "The Dockerfile then cannot be built without --build-arg, and tools that look at it offline cannot tell its base.",
     .practice = "Give the ARG a default that makes a valid name.",
     .bad = "ARG VERSION\nFROM debian:${VERSION}\nUSER 1000\n",
     .good = "ARG VERSION=12.9\nFROM debian:${VERSION}\nUSER 1000\n",
     .check = check_default_arg},
    {.id = "malformed-image-name",
     .severity = Severity::error,
     .fix = FixKind::ask,
     .summary = "FROM of what is no image name",
     .why = "Names of images are in lower case, apart by single slashes, with a tag of letters, digits, dots and dashes. Nothing else can be pulled.",
     .practice = "Correct the name.",
     .bad = "FROM Debian:12.9\nUSER 1000\n",
     .good = "FROM debian:12.9\nUSER 1000\n",
     .check = check_malformed},
    {.id = "end-of-life-base",
     .aliases = "ruby/eol-ruby-version",
     .severity = Severity::warning,
     .fix = FixKind::data,
     .summary = "base image whose release gets no fixes any more",
     .why = "After the end of a release its packages stay as they are: each weakness found since is in the image for good.",
     .practice = "Move to a release that is maintained.",
     .bad = "FROM debian:10-slim\nUSER 1000\n",
     .good = "FROM debian:13-slim\nUSER 1000\n",
     .check = check_end_of_life},
    {.id = "gpu-devel-base",
     .aliases = "gpu/prefer-runtime-final-stage",
     .severity = Severity::warning,
     .summary = "CUDA development image as the base of what is shipped",
     .why = "A `devel` image holds compilers, headers and static libraries: gigabytes that a running program never reads.",
     .practice = "Build in a stage from the devel image, and copy the result into one from the `runtime` or `base` image.",
     .bad = "FROM nvidia/cuda:12.6.2-devel-ubuntu24.04\nUSER 1000\n",
     .good = "FROM nvidia/cuda:12.6.2-devel-ubuntu24.04 AS build\nFROM nvidia/cuda:12.6.2-runtime-ubuntu24.04\nCOPY --from=build /app /app\nUSER 1000\n",
     .check = check_gpu},
};

}  // namespace

std::span<const Rule> base_rules() { return kRules; }

}  // namespace mica::lint
