// Memory of the machine.
#pragma once

namespace nngpcheck::empirical {

/// Bytes that this process may still take: what Linux calls available, within the limit of its control group.
double available_memory();

}  // namespace nngpcheck::empirical
