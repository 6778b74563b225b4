#include "stages/kube/watches.h"

#include <algorithm>
#include <tuple>

#include "orchestrator/world/async.h"

namespace blackstart::stages {
namespace {

bool same(const kube::Selection& left, const kube::Selection& right) {
  auto key = [](const kube::Selection& s) {
    return std::tie(s.api_version, s.kind, s.name_space, s.name, s.label_selector);
  };
  return key(left) == key(right);
}

bool contains(const std::vector<kube::Selection>& selections, const kube::Selection& wanted) {
  return std::any_of(selections.begin(), selections.end(),
                     [&](const kube::Selection& one) { return same(one, wanted); });
}

/// Ends the group at the first news. The cancellation that the group then sends to the others is
/// its own and stays inside.
Task<void> tell(kube::Informer& informer, TaskGroup& group, bool& news) {
  try {
    co_await informer.changed();
  } catch (...) {
    if (!news || !is_cancellation(std::current_exception())) throw;
    co_return;
  }
  news = true;
  group.cancel();
}

}  // namespace

Task<void> Watches::look_at(std::shared_ptr<kube::Client> client,
                            std::vector<kube::Selection> selections) {
  if (selections.size() > kMost) selections.resize(kMost);
  if (client != client_) co_await stop();
  client_ = std::move(client);
  for (size_t i = 0; i < running_.size();) {
    if (contains(selections, running_[i].selection)) {
      ++i;
      continue;
    }
    auto informer = std::move(running_[i].informer);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    co_await informer->stop();
  }
  for (const kube::Selection& selection : selections) {
    if (running(selection)) continue;
    // Kept only once it runs: one that could not list must be started anew at the next look.
    auto informer = std::make_unique<kube::Informer>(*client_, selection);
    co_await informer->start();
    running_.push_back({selection, std::move(informer)});
  }
}

Task<void> Watches::read(std::shared_ptr<kube::Client> client,
                         std::vector<kube::Selection> selections) {
  listed_.clear();
  co_await look_at(std::move(client), selections);
  for (const kube::Selection& selection : selections)
    if (!find(selection)) co_await list(selection);
}

Task<void> Watches::list(kube::Selection selection) {
  auto found = co_await client_->list(selection.api_version, selection.kind, selection.name_space,
                                      selection.label_selector);
  Listed listed;
  listed.selection = std::move(selection);
  if (found) listed.items = std::move(found->items);
  const std::string& name = listed.selection.name;
  std::erase_if(listed.items, [&name](const boost::json::value& item) {
    return !name.empty() && kube::text_at(item, {"metadata", "name"}) != name;
  });
  listed_.push_back(std::move(listed));
}

std::vector<const boost::json::value*> Watches::items(const kube::Selection& selection) const {
  std::vector<const boost::json::value*> found;
  for (const Listed& one : listed_) {
    if (!same(one.selection, selection)) continue;
    for (const auto& item : one.items) found.push_back(&item);
    return found;
  }
  auto* informer = running(selection);
  return informer ? informer->items() : found;
}

kube::Informer* Watches::find(const kube::Selection& selection) const {
  auto* informer = running(selection);
  return informer && informer->trouble().empty() ? informer : nullptr;
}

kube::Informer* Watches::running(const kube::Selection& selection) const {
  for (const Running& one : running_)
    if (same(one.selection, selection)) return one.informer.get();
  return nullptr;
}

Task<void> Watches::changed(Executor executor) {
  if (running_.empty()) co_return;
  TaskGroup group(std::move(executor));
  bool news = false;
  for (const Running& one : running_) group.spawn(tell(*one.informer, group, news));
  co_await group.join();
}

Task<void> Watches::stop() {
  while (!running_.empty()) {
    auto informer = std::move(running_.back().informer);
    running_.pop_back();
    co_await informer->stop();
  }
}

}  // namespace blackstart::stages
