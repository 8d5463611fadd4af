// Numbers that converge, as tables.
#include <algorithm>
#include <cmath>

#include "nngpcheck/import/cell_kinds.hpp"
#include "nngpcheck/import/writer.hpp"

namespace nngpcheck::importer {

using netsor::BundleId;
using netsor::Index;
using netsor::TableId;

namespace {

/// A number as a sum of no terms.
Scalar sum_of(const Cell& cell) {
  if (const Scalar* scalar = as_scalar(cell)) {
    Scalar result = *scalar;
    result.constant = result.constant * cell.factor;
    for (Scalar::Term& term : result.terms) term.factor = term.factor * cell.factor;
    return result;
  }
  if (!cell.is_number()) throw std::logic_error("a number that converges is expected");
  Scalar result;
  result.constant = cell.factor;
  return result;
}

/// The entry that a cell is a multiple of, if it is.
const Entry* single_entry(const Cell& cell) {
  const Scalar* scalar = as_scalar(cell);
  if (!scalar || scalar->terms.size() != 1 || !all_zero(scalar->constant)) return nullptr;
  return std::get_if<Entry>(&scalar->terms[0].value);
}

Cell entry_cell(const Entry& entry, const Values& factor, bool depends) {
  Scalar scalar;
  scalar.terms.push_back({constant_values(1), entry});
  return {std::make_shared<const Scalar>(scalar), factor, depends, nullptr};
}

}  // namespace

Column Writer::column(const Entry& entry, int width) {
  const Index rows = builder_.type(entry.table).rows;
  BundleId one = ones(width).bundle;
  if (rows > 1) {
    netsor::SparseMatrix unit(1, rows);
    unit.insert(0, entry.row) = 1;
    one = builder_.mix(one, std::move(unit));
  }
  return {builder_.mix(one, entry.table), entry.column};
}

/// One row with these numbers, powers of n (of each cell's largest term) taken out where `power` is asked
/// for.
TableId Writer::row(const Cells& cells, std::vector<double>* power) {
  std::vector<Scalar> sums;
  std::size_t terms = 0;
  bool whole = true;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    sums.push_back(sum_of(cells[k]));
    terms = std::max(terms, sums.back().terms.size());
    const Entry* entry = single_entry(cells[k]);
    whole = whole && entry && sums.back().terms[0].factor == constant_values(1) && entry->row == 0 &&
            entry->column == static_cast<Index>(k) && entry->table == single_entry(cells[0])->table &&
            builder_.type(entry->table).rows == 1 &&
            builder_.type(entry->table).columns == static_cast<Index>(cells.size());
  }
  if (whole && power) power->assign(cells.size(), 0);
  if (whole) return single_entry(cells[0])->table;
  std::vector<double> powers(cells.size(), 0);
  if (power) {
    for (std::size_t k = 0; k < cells.size(); ++k) {
      powers[k] = power_of_number(cells[k]);
    }
    *power = powers;
  }
  std::vector<TableId> tables;
  for (std::size_t l = 0; l < terms; ++l) {
    std::vector<Sparse> left(cells.size()), right(cells.size());
    bool means = true;
    const int any = finite;
    const Column one = ones(finite);
    for (std::size_t k = 0; k < cells.size(); ++k) {
      if (l >= sums[k].terms.size()) continue;
      const Scalar::Term& term = sums[k].terms[l];
      const auto* dot = std::get_if<Dot>(&term.value);
      Dot columns = dot ? *dot : Dot{one, column(std::get<Entry>(term.value), finite)};
      if (is_ones(columns.left)) std::swap(columns.left, columns.right);
      const double value = evaluate(term.factor, powers[k], cells[k].blame);
      if (value == 0) continue;
      left[k] = {{columns.left, value}};
      right[k] = {{columns.right, 1.0}};
      means = means && is_ones(columns.right);
    }
    // Dots over different widths are of different tables.
    std::map<std::string, std::vector<std::size_t>> by_width;
    for (std::size_t k = 0; k < cells.size(); ++k)
      if (!left[k].empty()) by_width[builder_.type(left[k][0].first.bundle).width.text()].push_back(k);
    for (const auto& [text, members] : by_width) {
      std::vector<Sparse> u(cells.size()), v(cells.size());
      for (const std::size_t k : members) {
        u[k] = left[k];
        v[k] = right[k];
      }
      const BundleId x = emit(u, any);
      tables.push_back(means ? builder_.mean(x)
                             : builder_.apply(netsor::Diagonal{}, {builder_.gram(x, emit(v, any))}));
    }
  }
  Eigen::MatrixXd constants(1, static_cast<Index>(cells.size()));
  for (std::size_t k = 0; k < cells.size(); ++k)
    constants(0, static_cast<Index>(k)) =
        all_zero(sums[k].constant) ? 0 : evaluate(sums[k].constant, powers[k], nullptr);
  if (tables.empty() || (constants.array() != 0).any()) tables.push_back(builder_.constant(constants));
  if (tables.size() == 1) return tables[0];
  return builder_.apply(netsor::Sum{std::vector<double>(tables.size(), 1.0)}, tables);
}

/// Of the largest term of a number that converges; of 0 a very small one.
double Writer::power_of_number(const Cell& cell) {
  const Scalar sum = sum_of(cell);
  double result = all_zero(sum.constant) ? -1e9 : power_of(sum.constant);
  for (const Scalar::Term& term : sum.terms) result = std::max(result, power_of(term.factor));
  return result;
}

Cells Writer::entries_of(TableId table, const Cells& like) {
  Cells result;
  for (std::size_t k = 0; k < like.size(); ++k)
    result.push_back(entry_cell({table, 0, static_cast<Index>(k)}, constant_values(1), like[k].depends));
  return result;
}

/// Numbers that converge, where a vector is expected, are columns that are constant along the width.
Cells Writer::constant_columns(const Cells& cells, const std::vector<int>& widths) {
  Cells result = cells;
  std::map<std::string, std::vector<std::size_t>> by_width;
  for (std::size_t k = 0; k < cells.size(); ++k)
    if (as_scalar(cells[k])) by_width[width(widths[k]).text()].push_back(k);
  for (const auto& [text, members] : by_width) {
    Cells scalars;
    for (const std::size_t k : members) scalars.push_back(cells[k]);
    std::vector<double> power;
    const TableId table = row(scalars, &power);
    const BundleId columns = builder_.mix(ones(widths[members[0]]).bundle, table);
    for (std::size_t i = 0; i < members.size(); ++i) {
      result[members[i]] = {Column{columns, static_cast<Index>(i)}, powers(power[i]), scalars[i].depends,
                            scalars[i].blame};
    }
  }
  return result;
}

Cells Writer::rsqrt(const Cells& cells, double epsilon) {
  Cells result(cells.size());
  Cells scalars;
  std::vector<std::size_t> where;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    if (cells[k].is_number()) {
      Values values;
      for (std::size_t i = 0; i < width_count; ++i) values[i] = 1 / std::sqrt(cells[k].factor[i] + epsilon);
      result[k] = number(values, cells[k].depends);
      continue;
    }
    if (!as_scalar(cells[k])) {
      result[k] = random([epsilon](const std::vector<double>& v) { return 1 / std::sqrt(v[0] + epsilon); },
                         {cells[k]});
      continue;
    }
    where.push_back(k);
    Scalar sum = sum_of(cells[k]);
    sum.constant = sum.constant + constant_values(epsilon);
    scalars.push_back(
        {std::make_shared<const Scalar>(sum), constant_values(1), cells[k].depends, cells[k].blame});
  }
  if (scalars.empty()) return result;
  std::vector<double> power;
  const TableId sums = row(scalars, &power);
  const TableId table = builder_.apply(netsor::Rsqrt{}, {sums});
  for (std::size_t k = 0; k < scalars.size(); ++k) {
    result[where[k]] =
        entry_cell({table, 0, static_cast<Index>(k)}, powers(-power[k] / 2), scalars[k].depends);
  }
  return result;
}

/// Columns times numbers that converge.
Cells Writer::scale(const Cells& given, const Cells& cells, const std::vector<int>& widths) {
  Cells scalars = given;
  Cells others;
  std::vector<std::size_t> others_at;
  const auto is_row = [&](const Cell& cell) {
    const Entry* entry = single_entry(cell);
    return entry && builder_.type(entry->table).rows == 1;
  };
  std::map<const Scalar*, std::size_t> distinct;
  for (std::size_t k = 0; k < scalars.size(); ++k) {
    if (is_row(scalars[k])) continue;
    if (distinct.try_emplace(as_scalar(scalars[k]), others.size()).second) {
      others.push_back(scalars[k]);
      others.back().factor = constant_values(1);
    }
    others_at.push_back(k);
  }
  if (!others.empty()) {
    std::vector<double> power;
    const TableId table = row(others, &power);
    for (const std::size_t k : others_at) {
      const std::size_t i = distinct.at(as_scalar(scalars[k]));
      scalars[k] = entry_cell({table, 0, static_cast<Index>(i)}, scalars[k].factor * powers(power[i]),
                              scalars[k].depends);
    }
  }
  const Cells xs = vectors(cells);
  // Products with one row are one instruction for each time that its columns are used.
  std::map<std::pair<TableId, std::string>, std::vector<std::vector<std::size_t>>> families;
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  Cells result(cells.size());
  for (std::size_t k = 0; k < xs.size(); ++k) {
    if (xs[k].is_number()) {
      result[k] = scaled(scalars[k], xs[k].factor);
      continue;
    }
    const Entry entry = *single_entry(scalars[k]);
    auto& list = families[{entry.table, width(widths[k]).text()}];
    auto family = std::find_if(list.begin(), list.end(), [&](const auto& f) {
      return f[static_cast<std::size_t>(entry.column)] == none;
    });
    if (family == list.end()) {
      list.emplace_back(static_cast<std::size_t>(builder_.type(entry.table).columns), none);
      family = std::prev(list.end());
    }
    (*family)[static_cast<std::size_t>(entry.column)] = k;
  }
  for (const auto& [key, list] : families) {
    for (const auto& family : list) {
      std::vector<Sparse> columns(family.size());
      int any = finite;
      std::vector<Column> plain;
      for (std::size_t j = 0; j < family.size(); ++j) {
        if (family[j] == none) continue;
        columns[j] = {{std::get<Column>(xs[family[j]].value), 1.0}};
        plain.push_back(columns[j][0].first);
        any = widths[family[j]];
      }
      const BundleId x = plain.size() == family.size() ? aligned(plain, any) : emit(columns, any);
      const BundleId done = builder_.scale(x, key.first);
      for (std::size_t j = 0; j < family.size(); ++j) {
        if (family[j] == none) continue;
        const std::size_t k = family[j];
        result[k] = {Column{done, static_cast<Index>(j)},
                     scalars[k].factor * as_scalar(scalars[k])->terms[0].factor * xs[k].factor,
                     scalars[k].depends || xs[k].depends, xs[k].blame ? xs[k].blame : scalars[k].blame};
      }
    }
  }
  return result;
}

std::optional<Cells> Writer::mix_by_table(const std::vector<std::vector<std::pair<Cell, Cell>>>& sums,
                                          const std::vector<int>& widths) {
  struct Family {
    std::map<Index, Column> rows;
    std::vector<std::size_t> members;
    bool depends = false;
  };
  std::map<std::pair<TableId, std::string>, std::vector<Family>> families;
  Cells flat;
  for (const auto& sum : sums)
    for (const auto& [weight, x] : sum) flat.push_back(x);
  const Cells xs = vectors(flat);
  std::size_t next = 0;
  for (std::size_t j = 0; j < sums.size(); ++j) {
    std::optional<TableId> table;
    Index column = 0;
    std::map<Index, Column> rows;
    bool depends = false;
    for (const auto& [weight, unused] : sums[j]) {
      const Cell& x = xs[next++];
      depends = depends || weight.depends || x.depends;
      if (weight.is_zero() || x.is_zero()) continue;
      const Entry* entry = single_entry(weight);
      const auto* vector = std::get_if<Column>(&x.value);
      if (!entry || !vector || weight.factor != constant_values(1) || x.factor != constant_values(1))
        return {};
      if (table && (*table != entry->table || column != entry->column)) return {};
      table = entry->table;
      column = entry->column;
      if (!rows.try_emplace(entry->row, *vector).second) return {};
    }
    if (!table || rows.size() != table_lines_[{*table, column}]) return {};
    auto& list = families[{*table, width(widths[j]).text()}];
    const auto fits = [&](const Family& family) {
      return std::all_of(rows.begin(), rows.end(), [&](const auto& r) {
        const auto found = family.rows.find(r.first);
        return found == family.rows.end() || found->second == r.second;
      });
    };
    auto family = std::find_if(list.begin(), list.end(), fits);
    if (family == list.end()) family = list.emplace(list.end());
    family->rows.insert(rows.begin(), rows.end());
    family->members.push_back(j);
    family->depends = family->depends || depends;
  }
  Cells result(sums.size());
  for (const auto& [key, list] : families) {
    for (const Family& family : list) {
      std::vector<Sparse> columns(static_cast<std::size_t>(builder_.type(key.first).rows));
      for (const auto& [row, column] : family.rows) columns[static_cast<std::size_t>(row)] = {{column, 1.0}};
      std::vector<Column> plain;
      for (const Sparse& column : columns)
        if (!column.empty()) plain.push_back(column[0].first);
      const int any = widths[family.members[0]];
      const BundleId x = plain.size() == columns.size() ? aligned(plain, any) : emit(columns, any);
      const BundleId mixed = builder_.mix(x, key.first);
      for (const std::size_t j : family.members) {
        Index column = 0;
        for (const auto& [weight, unused] : sums[j])
          if (const Entry* entry = single_entry(weight)) column = entry->column;
        result[j] = {Column{mixed, column}, constant_values(1), family.depends, nullptr};
      }
    }
  }
  return result;
}

std::vector<Cells> Writer::softmax(const std::vector<Cells>& lines) {
  if (auto table = softmax_table(lines)) return *table;
  std::vector<Cells> result;
  for (const Cells& line : lines) {
    Cells exponentials = map(netsor::Activation::named("exp"), line, std::vector<int>(line.size(), finite));
    const Cells sum = add({exponentials}, {finite});
    const Cells inverse = map(netsor::Activation::from_expression("1/x"), sum, {finite});
    result.push_back(
        multiply(exponentials, Cells(line.size(), inverse[0]), std::vector<int>(line.size(), finite)));
  }
  return result;
}

/// Softmax over the rows of Σ_l U_lᵀV_l/n: each line is a column (a query), its cells are rows (keys).
std::optional<std::vector<Cells>> Writer::softmax_table(const std::vector<Cells>& lines) {
  struct RowKey {
    std::vector<std::pair<Column, double>> columns;  // by term
    double constant;
    int occurrence;
    auto operator<=>(const RowKey&) const = default;
  };
  std::map<RowKey, Index> rows;
  std::vector<std::vector<Column>> queries;
  std::vector<std::vector<Index>> row_of(lines.size());
  std::size_t terms = 0;
  const auto value = [&](const Values& factor) {
    const auto g = at_ ? std::nullopt : growth(factor, widths_.n());
    if (g && g->power > 0.1) {
      report_.add(
          "scores_sqrt_d",
          "scores are a mean over the width, which fluctuates by n^(-1/2), times " +
              std::string(g->power == 0.5 ? "√n" : "more than √n") +
              ": they stay random at infinite width, with a fixed number of heads; divide by the size of the "
              "head instead of its root, or let the number of heads grow with n");
      return 0.0;
    }
    return evaluate(factor, 0, nullptr);
  };
  for (std::size_t q = 0; q < lines.size(); ++q) {
    std::vector<Scalar> sums;
    std::size_t count = 0;
    for (const Cell& cell : lines[q]) {
      if (!cell.is_number() && !as_scalar(cell)) return {};
      sums.push_back(sum_of(cell));
      count = std::max(count, sums.back().terms.size());
    }
    std::vector<Column> query;
    for (std::size_t l = 0; l < count; ++l) {
      std::vector<Dot> dots;
      for (const Scalar& sum : sums) {
        if (l >= sum.terms.size()) continue;
        const auto* dot = std::get_if<Dot>(&sum.terms[l].value);
        if (!dot) return {};
        dots.push_back(*dot);
      }
      const auto common = [&](const Column& c) {
        return std::all_of(dots.begin(), dots.end(),
                           [&](const Dot& d) { return d.left == c || d.right == c; });
      };
      if (!common(dots[0].left) && !common(dots[0].right)) return {};
      query.push_back(common(dots[0].left) ? dots[0].left : dots[0].right);
    }
    std::map<RowKey, int> seen;
    for (const Scalar& sum : sums) {
      if (std::isinf(sum.constant[0])) {
        row_of[q].push_back(-1);
        continue;
      }
      RowKey key{{}, all_zero(sum.constant) ? 0 : evaluate(sum.constant, 0, nullptr), 0};
      for (std::size_t l = 0; l < sum.terms.size(); ++l) {
        const Dot& dot = std::get<Dot>(sum.terms[l].value);
        key.columns.emplace_back(dot.left == query[l] ? dot.right : dot.left, value(sum.terms[l].factor));
      }
      key.occurrence = seen[key]++;
      row_of[q].push_back(rows.try_emplace(key, static_cast<Index>(rows.size())).first->second);
    }
    queries.push_back(std::move(query));
    terms = std::max(terms, count);
  }
  const auto height = static_cast<Index>(rows.size()), length = static_cast<Index>(lines.size());
  if (height == 0) return {};
  Eigen::MatrixXd mask = Eigen::MatrixXd::Zero(height, length),
                  constants = Eigen::MatrixXd::Zero(height, length);
  for (std::size_t q = 0; q < lines.size(); ++q)
    for (const Index r : row_of[q])
      if (r >= 0) mask(r, static_cast<Index>(q)) = 1;
  for (Index q = 0; q < length; ++q)
    if (mask.col(q).sum() == 0)
      throw Refusal{"reject", "softmax_masked", "a softmax whose entries are all masked"};
  for (const auto& [key, r] : rows) constants.row(r).setConstant(key.constant);
  std::vector<TableId> tables;
  for (std::size_t l = 0; l < terms; ++l) {
    std::vector<Sparse> u(static_cast<std::size_t>(height)), v(lines.size());
    bool any = false;
    for (const auto& [key, r] : rows) {
      if (l < key.columns.size() && key.columns[l].second != 0) {
        u[static_cast<std::size_t>(r)] = {{key.columns[l].first, key.columns[l].second}};
        any = true;
      }
    }
    for (std::size_t q = 0; q < lines.size(); ++q)
      if (l < queries[q].size()) v[q] = {{queries[q][l], 1.0}};
    if (any) tables.push_back(builder_.gram(emit(u, finite), emit(v, finite)));
  }
  if (tables.empty() || (constants.array() != 0).any()) tables.push_back(builder_.constant(constants));
  const TableId scores = tables.size() == 1
                             ? tables[0]
                             : builder_.apply(netsor::Sum{std::vector<double>(tables.size(), 1.0)}, tables);
  const bool masked = (mask.array() == 0).any();
  const TableId table = builder_.apply(
      netsor::SoftmaxKeys{masked ? std::make_shared<const Eigen::MatrixXd>(mask) : nullptr}, {scores});
  std::vector<Cells> result(lines.size());
  for (std::size_t q = 0; q < lines.size(); ++q) {
    table_lines_[{table, static_cast<Index>(q)}] =
        static_cast<std::size_t>(mask.col(static_cast<Index>(q)).sum());
    for (std::size_t k = 0; k < lines[q].size(); ++k) {
      const Index r = row_of[q][k];
      result[q].push_back(
          r < 0 ? number(Values{})
                : entry_cell({table, r, static_cast<Index>(q)}, constant_values(1), lines[q][k].depends));
    }
  }
  return result;
}

}  // namespace nngpcheck::importer
