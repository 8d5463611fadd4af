// What an instruction does to its operands, said once per operation: which ids it holds, which columns it
// reads, and of what form it is. Comparing, rewriting and restricting programs, the structure of a limit,
// rule 5's paths, schedules and mutants derive what they need from it. There are no defaults: an operation
// without traits does not compile.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "nngpcheck/netsor/operation.hpp"

namespace nngpcheck::netsor {

/// What an instruction makes of its operands.
enum class Form {
  source,     ///< a Gaussian bundle that is no combination of others: of a random object, or the constant 1
  linear,     ///< Σ_k X_k M_k, the M_k constants or tables
  pointwise,  ///< φ(X₁, …, X_k) coordinatewise: column j is a function of column j of each operand
  groupwise,  ///< coordinatewise too; column j is a function of the columns of its group
  table,      ///< scalars
};

// ---- Indexing maps: which columns of an operand column j of the result reads. ----

/// Column j; of a bundle with one column, which is broadcast, that one.
struct OwnColumn {};
/// All of them.
struct AllColumns {};
/// The rows in which column j of the matrix has entries.
struct MatrixRows {
  const SparseMatrix* matrix;
};
/// Those in the group of j.
struct SameGroup {
  const std::vector<int>* group;
};

/// Valid as long as its operation.
using ColumnMap = std::variant<OwnColumn, AllColumns, MatrixRows, SameGroup>;

/// What any of these columns of the result reads of an operand that has `available` columns; ascending.
std::vector<Index> columns_read(const ColumnMap& map, const std::vector<Index>& columns, Index available);

/// Whether every column of the result reads at most one of `available` columns.
bool reads_one_column(const ColumnMap& map, Index available);

// ---- The parts of an instruction: every member of it plays one of these roles. ----

enum class Role {
  object,      ///< the random object whose columns it makes
  operands,    ///< the id of a bundle or table that it reads, or a list of such ids
  columnwise,  ///< a constant with one column, or entry, for each column of the result
  constant,    ///< any other constant
};

template <class Member>
struct Uses {
  static constexpr Role role = Role::object;
  Member& member;
};
template <class Member>
struct Reads {
  static constexpr Role role = Role::operands;
  Member& member;
  ColumnMap columns;
};
template <class Member>
struct Columnwise {
  static constexpr Role role = Role::columnwise;
  Member& member;
};
template <class Member>
struct Fixed {
  static constexpr Role role = Role::constant;
  Member& member;
};
template <class Member>
Uses(Member&) -> Uses<Member>;
template <class Member>
Reads(Member&, ColumnMap) -> Reads<Member>;
template <class Member>
Columnwise(Member&) -> Columnwise<Member>;
template <class Member>
Fixed(Member&) -> Fixed<Member>;

/// X_k M_k of an instruction of linear form. M_k is c·1 (c·(1 … 1) where the one column of X_k is broadcast),
/// a constant, a table, or the diagonal matrix of a table of one row.
struct LinearTerm {
  struct Table {
    TableId id;
  };
  struct Diagonal {
    TableId id;
  };
  using Matrix = std::variant<double, SharedSparse, Table, Diagonal>;
  BundleId bundle;
  Matrix matrix;
};

/// What column j of a function of tables reads of each of them.
ColumnMap column_map(const TableFunction& function);

// ---- The traits. `parts` unpacks every member, so that none is forgotten. ----

template <class Kind>
struct Traits;  // of each kind of instruction

template <>
struct Traits<Input> {
  static constexpr Form form = Form::source;
  static auto parts(auto& op) {
    auto& [weight, data] = op;
    return std::tuple(Uses{weight}, Columnwise{data});
  }
};

template <>
struct Traits<BiasColumn> {
  static constexpr Form form = Form::source;
  static auto parts(auto& op) {
    auto& [bias] = op;
    return std::tuple(Uses{bias});
  }
};

template <>
struct Traits<Ones> {
  static constexpr Form form = Form::source;
  static auto parts(auto& op) {
    auto& [width] = op;
    return std::tuple(Fixed{width});
  }
};

template <>
struct Traits<MatMul> {
  static constexpr Form form = Form::source;
  static auto parts(auto& op) {
    auto& [weight, argument] = op;
    return std::tuple(Uses{weight}, Reads{argument, OwnColumn{}});
  }
};

template <>
struct Traits<Mix> {
  static constexpr Form form = Form::linear;
  static auto parts(auto& op) {
    auto& [argument, matrix] = op;
    return std::tuple(Reads{argument, MatrixRows{matrix.get()}}, Columnwise{matrix});
  }
  static std::vector<LinearTerm> terms(const Mix& op) { return {{op.argument, op.matrix}}; }
};

template <>
struct Traits<TableMix> {
  static constexpr Form form = Form::linear;
  static auto parts(auto& op) {
    auto& [argument, table] = op;
    return std::tuple(Reads{argument, AllColumns{}}, Reads{table, OwnColumn{}});
  }
  static std::vector<LinearTerm> terms(const TableMix& op) {
    return {{op.argument, LinearTerm::Table{op.table}}};
  }
};

template <>
struct Traits<Add> {
  static constexpr Form form = Form::linear;
  static auto parts(auto& op) {
    auto& [terms] = op;
    return std::tuple(Reads{terms, OwnColumn{}});
  }
  static std::vector<LinearTerm> terms(const Add& op) {
    std::vector<LinearTerm> result;
    for (const Add::Term& term : op.terms) result.push_back({term.bundle, term.coefficient});
    return result;
  }
};

template <>
struct Traits<Scale> {
  static constexpr Form form = Form::linear;
  static auto parts(auto& op) {
    auto& [argument, factors] = op;
    return std::tuple(Reads{argument, OwnColumn{}}, Reads{factors, OwnColumn{}});
  }
  static std::vector<LinearTerm> terms(const Scale& op) {
    return {{op.argument, LinearTerm::Diagonal{op.factors}}};
  }
};

template <>
struct Traits<Map> {
  static constexpr Form form = Form::pointwise;
  static auto parts(auto& op) {
    auto& [activation, argument] = op;
    return std::tuple(Fixed{activation}, Reads{argument, OwnColumn{}});
  }
};

template <>
struct Traits<Mul> {
  static constexpr Form form = Form::pointwise;
  static auto parts(auto& op) {
    auto& [left, right] = op;
    return std::tuple(Reads{left, OwnColumn{}}, Reads{right, OwnColumn{}});
  }
};

template <>
struct Traits<Max> {
  static constexpr Form form = Form::pointwise;
  static auto parts(auto& op) {
    auto& [left, right] = op;
    return std::tuple(Reads{left, OwnColumn{}}, Reads{right, OwnColumn{}});
  }
};

template <>
struct Traits<Nonlin> {
  static constexpr Form form = Form::pointwise;
  static auto parts(auto& op) {
    auto& [function, arguments] = op;
    return std::tuple(Fixed{function}, Reads{arguments, OwnColumn{}});
  }
};

template <>
struct Traits<Standardize> {
  static constexpr Form form = Form::groupwise;
  static auto parts(auto& op) {
    auto& [argument, group, epsilon] = op;
    return std::tuple(Reads{argument, SameGroup{&group}}, Columnwise{group}, Fixed{epsilon});
  }
};

template <>
struct Traits<Constant> {
  static constexpr Form form = Form::table;
  static auto parts(auto& op) {
    auto& [matrix] = op;
    return std::tuple(Columnwise{matrix});
  }
};

template <>
struct Traits<Gram> {
  static constexpr Form form = Form::table;
  static auto parts(auto& op) {
    auto& [left, right] = op;
    return std::tuple(Reads{left, AllColumns{}}, Reads{right, OwnColumn{}});
  }
};

template <>
struct Traits<Mean> {
  static constexpr Form form = Form::table;
  static auto parts(auto& op) {
    auto& [argument] = op;
    return std::tuple(Reads{argument, OwnColumn{}});
  }
};

template <>
struct Traits<Apply> {
  static constexpr Form form = Form::table;
  static auto parts(auto& op) {
    auto& [function, arguments] = op;
    return std::tuple(Fixed{function}, Reads{arguments, column_map(function)});
  }
};

// ---- What is derived. ----

/// Calls function(part) for each part of an instruction, of operations that are const and of others.
template <class Op, class Function>
void for_each_part(Op& operation, const Function& function) {
  std::visit(
      [&](auto& op) {
        std::apply([&](auto... parts) { (function(parts), ...); },
                   Traits<std::remove_const_t<std::remove_reference_t<decltype(op)>>>::parts(op));
      },
      operation);
}

namespace detail {

/// Calls function(id) for each id in a member.
template <class Member, class Function>
void for_each_id_in(Member& member, const Function& function) {
  if constexpr (requires { member.index(); }) {
    function(member);
  } else if constexpr (requires { member.bundle; }) {
    function(member.bundle);
  } else {
    for (auto& element : member) for_each_id_in(element, function);
  }
}

/// The first kind of instruction of one of these forms.
template <class Operations, Form... forms>
struct FirstOf;
template <class Op, class... Others, Form... forms>
struct FirstOf<std::variant<Op, Others...>, forms...>
    : std::conditional_t<((Traits<Op>::form == forms) || ...), std::type_identity<Op>,
                         FirstOf<std::variant<Others...>, forms...>> {};

}  // namespace detail

/// Calls function(id) for the random objects of an instruction. Here and below, on an operation that is not
/// const the function may assign to what it gets: so instructions are rewritten.
template <class Op, class Function>
void for_each_object(Op& operation, const Function& function) {
  for_each_part(operation, [&]<class Part>(const Part& part) {
    if constexpr (Part::role == Role::object) function(part.member);
  });
}

/// Calls function(id, columns) for each bundle and table that an instruction reads, in order.
template <class Op, class Function>
void for_each_operand(Op& operation, const Function& function) {
  for_each_part(operation, [&]<class Part>(const Part& part) {
    if constexpr (Part::role == Role::operands) {
      detail::for_each_id_in(part.member, [&](auto& id) { function(id, part.columns); });
    }
  });
}

/// Calls function(constant) for each constant that has a column per column of the result.
template <class Op, class Function>
void for_each_columnwise(Op& operation, const Function& function) {
  for_each_part(operation, [&]<class Part>(const Part& part) {
    if constexpr (Part::role == Role::columnwise) function(part.member);
  });
}

Form form(const Operation& operation);

/// The bundles and tables that an instruction reads, as instruction numbers, in order.
std::vector<std::size_t> operands(const Operation& operation);

/// A bundle that an instruction reads, and what of it.
struct BundleOperand {
  BundleId bundle;
  ColumnMap columns;
};
std::vector<BundleOperand> bundle_operands(const Operation& operation);

/// A table that an instruction reads, and what of it.
struct TableOperand {
  TableId table;
  ColumnMap columns;
};
std::vector<TableOperand> table_operands(const Operation& operation);

/// The random object whose columns a source makes; none for the constant 1 and for instructions of other
/// forms.
using RandomObject = std::variant<InputWeightId, WeightId, BiasId>;
std::optional<RandomObject> random_object(const Operation& operation);

/// The terms of an instruction of linear form. Precondition: form(operation) == Form::linear.
std::vector<LinearTerm> linear_terms(const Operation& operation);

/// std::visit for an operation that is known to be of one of these forms: `function` takes the operations of
/// these forms, and every one of them. Throws std::logic_error for an operation of another form.
template <Form... forms, class Function>
decltype(auto) visit(const Function& function, const Operation& operation) {
  using Result =
      std::invoke_result_t<const Function&, const typename detail::FirstOf<Operation, forms...>::type&>;
  return std::visit(
      [&]<class Op>(const Op& op) -> Result {
        if constexpr (((Traits<Op>::form == forms) || ...)) {
          return function(op);
        } else {
          throw std::logic_error("an instruction of a form that is not expected here");
        }
      },
      operation);
}

}  // namespace nngpcheck::netsor
