#include "build/plan_bases.h"

#include "base/format.h"
#include "base/text.h"
#include "oci/reference.h"

namespace mica::build {

int Bases::want(const std::string& name, const oci::Platform& platform, const NamedContext* replacement,
                const dockerfile::Range& where) {
  const NamedContext* context = replacement ? replacement : named_.find(name, &platform);
  for (std::size_t i = 0; i < wishes_.size(); ++i)
    if (wishes_[i].platform == platform && wishes_[i].context == context && (context || wishes_[i].name == name))
      return static_cast<int>(i);
  wishes_.push_back({.name = name, .platform = platform, .context = context, .where = where, .base = std::nullopt});
  return static_cast<int>(wishes_.size()) - 1;
}

Result<Base> Bases::resolve_one(const Wish& wish, task::Cancel cancel) const {
  Base base{.image = std::nullopt, .folder = nullptr, .shown = wish.name, .platform = wish.platform};
  if (wish.context && !is_image_context(*wish.context)) {
    base.folder = wish.context;
    return base;
  }
  base.image = TRY(images_.resolve(wish.context ? wish.context->value : wish.name, wish.platform, cancel));
  if (wish.context) {
    base.shown = wish.context->value;
  } else if (const auto reference = oci::Reference::parse(wish.name)) {
    base.shown = reference->str();
    if (reference->digest.empty() && !base.image->manifest.empty()) base.shown += "@" + base.image->manifest.str();
  }
  return base;
}

bool Bases::resolve(Faults& faults, std::span<const std::string_view> stage_names, task::Cancel cancel) {
  std::vector<Wish*> open;
  for (Wish& wish : wishes_)
    if (!wish.base) open.push_back(&wish);
  std::vector<std::optional<Result<Base>>> results(open.size());
  if (request_.pool && open.size() > 1) {
    task::Group group(*request_.pool, cancel);
    for (std::size_t i = 0; i < open.size(); ++i)
      group.run([this, i, &open, &results](task::Cancel stop) -> Result<> {
        const task::Blocking blocking(*request_.pool);
        results[i] = resolve_one(*open[i], stop);
        return {};  // the others' answers are wanted too: all faults are told at once
      });
    if (auto done = group.wait(); !done) {
      faults.add(std::move(done.error()), {});
      return false;
    }
  } else {
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (const auto go_on = cancel.check(); !go_on) {
        faults.add(go_on.error(), {});
        return false;
      }
      results[i] = resolve_one(*open[i], cancel);
    }
  }
  bool all = true;
  for (std::size_t i = 0; i < open.size(); ++i) {
    if (*results[i]) {
      open[i]->base = std::move(**results[i]);
      continue;
    }
    all = false;
    Error error = std::move(results[i]->error());
    if (error.code() == Errc::cancelled) {
      faults.add(std::move(error), {});
      continue;
    }
    if (error.code() == Errc::not_found && error.hint().empty())
      if (const auto near = closest(open[i]->name, stage_names))
        error = std::move(error).with_hint(format("did you mean the stage {}?", *near));
    if (!error.text().starts_with(open[i]->name)) error = std::move(error).doing(open[i]->name);
    faults.add(std::move(error), open[i]->where);
  }
  return all;
}

}  // namespace mica::build
