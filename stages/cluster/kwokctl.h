// kwokctl as a command: configured for this machine, and given up when what it started has died.
#pragma once

#include "orchestrator/engine/context.h"
#include "stages/cluster/kwok_home.h"

namespace blackstart::stages {

/// All commands throw Error(kTransient) when a component does not stay up, and Error(kPermanent)
/// with the last lines when kwokctl itself fails. kwokctl is a child that ends with us; what it
/// starts has sessions of its own and stays.
class Kwokctl {
 public:
  /// Both must outlive it.
  Kwokctl(engine::Context& context, const KwokHome& home) : context_(context), home_(home) {}

  /// On ports of this machine that nobody uses.
  Task<void> create() const;
  Task<void> start() const;
  Task<void> scale(int64_t nodes) const;

 private:
  void write_config() const;
  Task<void> run(std::vector<std::string> args) const;

  engine::Context& context_;
  const KwokHome& home_;
};

/// Transient, for the next attempt has other ports. A cluster that has data keeps the ports that
/// are written all over it; who took one of them may let go of it.
Error did_not_stay_up(const KwokHome& home, const std::vector<std::string>& components);

/// Between two looks at what offers nothing to watch.
Task<void> a_moment(Clock& clock);

}  // namespace blackstart::stages
