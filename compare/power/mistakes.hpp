// Private to compare/: how mistakes in a program are made and named.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/compare/power/mutants.hpp"
#include "nngpcheck/netsor/passes/rewrite.hpp"

namespace nngpcheck::compare {

/// Nothing where it does not apply.
using Mistake = std::optional<WrongNetwork>;
using Changes = std::map<std::size_t, netsor::Change>;

/// "a, b, c, … (7 in all)".
std::string list(const std::vector<std::string>& names);

/// The program with these instructions changed; nothing if there are none.
Mistake changed(const netsor::Program& program, std::string name, const Changes& changes);

/// Calls function(index, operation) for every instruction of that kind.
template <class Operation, class Function>
void for_each(const netsor::Program& program, const Function& function) {
  for (std::size_t k = 0; k < program.nodes().size(); ++k) {
    if (const auto* op = std::get_if<Operation>(&program.nodes()[k].operation)) function(k, *op);
  }
}

/// Mistakes in norms and skips.
std::vector<Mistake> wrong_structures(const netsor::Program& program);

}  // namespace nngpcheck::compare
