// What the file looks like: its version, its tables, and how an older one becomes the newest.
#pragma once

#include <string>

#include "orchestrator/journal/database.h"

namespace blackstart::journal {

/// The newest version; each version's step is in the one list in format.cpp.
int newest_version();

/// Sets the connection up, makes the tables of a new file and brings an older one to the newest
/// version. Throws DatabaseError: kDamaged when this is no journal or its structure is broken,
/// kVersion when a newer program made it.
void prepare(Database& database);
/// The checks of prepare() for a file that must not be changed.
void check(Database& database);

}  // namespace blackstart::journal
