// Products of cells.
#include <algorithm>

#include "nngpcheck/import/cell_kinds.hpp"
#include "nngpcheck/import/interpret.hpp"
#include "nngpcheck/import/writer.hpp"

namespace nngpcheck::importer {

using netsor::BundleId;
using netsor::Index;

Cell Writer::sum_of_matrices(const Cells& cells) const {
  auto sum = std::make_shared<MatrixSum>();
  bool depends = false;
  for (const Cell& cell : cells) {
    depends = depends || cell.depends;
    if (is_matrix(cell)) {
      sum->products.push_back({cell});
      continue;
    }
    const MatrixSum* other = as_matrix_sum(cell);
    if (!other) throw Refusal{"reject", "outer_product", "a matrix is added to something else"};
    for (const auto& [u, v] : other->terms) sum->terms.emplace_back(scaled(u, cell.factor), v);
    for (Cells product : other->products) {
      product[0] = scaled(product[0], cell.factor);
      sum->products.push_back(std::move(product));
    }
  }
  return {std::shared_ptr<const MatrixSum>(sum), constant_values(1), depends, nullptr};
}

/// A(⋯(Bx)) of each product and its x.
Cells Writer::times_product(const std::vector<const Cells*>& products, Cells xs) {
  for (std::size_t step = 1;; ++step) {
    Cells matrices, arguments;
    std::vector<int> summed, widths;
    std::vector<std::size_t> where;
    for (std::size_t k = 0; k < products.size(); ++k) {
      if (products[k]->size() < step) continue;
      const Cell& one = (*products[k])[products[k]->size() - step];
      where.push_back(k);
      matrices.push_back(one);
      arguments.push_back(xs[k]);
      widths.push_back(width_along(*as_block(one), 0));
      summed.push_back(width_along(*as_block(one), 1));
    }
    if (where.empty()) return xs;
    const Cells result = contract(matrices, arguments, summed, widths);
    for (std::size_t i = 0; i < where.size(); ++i) xs[where[i]] = result[i];
  }
}

/// (Σ u vᵀ + Σ A⋯B) x = Σ u (vᵀx) + Σ A(⋯(Bx)).
Cells Writer::times_sums(const Cells& sums, const Cells& xs, const std::vector<int>& summed,
                         const std::vector<int>& widths) {
  Cells us, vs, arguments, factors;
  std::vector<const Cells*> products;
  std::vector<int> term_summed, term_widths;
  for (std::size_t k = 0; k < sums.size(); ++k) {
    for (const auto& [u, v] : as_matrix_sum(sums[k])->terms) {
      us.push_back(scaled(u, sums[k].factor));
      vs.push_back(v);
      arguments.push_back(xs[k]);
      term_summed.push_back(summed[k]);
      term_widths.push_back(widths[k]);
    }
    for (const Cells& product : as_matrix_sum(sums[k])->products) {
      products.push_back(&product);
      factors.push_back(scaled(xs[k], sums[k].factor));
    }
  }
  const Cells outer =
      multiply(contract(vs, arguments, term_summed, std::vector<int>(vs.size(), finite)), us, term_widths);
  const Cells applied = times_product(products, factors);
  std::vector<Cells> lists(sums.size());
  std::size_t next = 0, next_product = 0;
  for (std::size_t k = 0; k < sums.size(); ++k) {
    for (std::size_t i = 0; i < as_matrix_sum(sums[k])->terms.size(); ++i) lists[k].push_back(outer[next++]);
    for (std::size_t i = 0; i < as_matrix_sum(sums[k])->products.size(); ++i)
      lists[k].push_back(applied[next_product++]);
  }
  return add(lists, widths);
}

Cells Writer::multiply(const Cells& left, const Cells& right, const std::vector<int>& widths) {
  Cells result(left.size());
  Cells scalars, scaled_cells, xs, ys, rows_left, rows_right;
  std::vector<std::size_t> scaled_at, vectors_at, rows_at;
  std::vector<int> scaled_widths, vector_widths;
  for (std::size_t k = 0; k < left.size(); ++k) {
    Cell a = left[k], b = right[k];
    if (b.is_number()) std::swap(a, b);
    if (a.is_number()) {
      result[k] = scaled(b, a.factor);
      result[k].depends = a.depends || b.depends;
      if (result[k].is_zero()) result[k].depends = false;
      continue;
    }
    const bool vector_a = as_column(a) || (as_block(a) && as_block(a)->axes.size() == 1);
    const bool vector_b = as_column(b) || (as_block(b) && as_block(b)->axes.size() == 1);
    const auto is_random = [](const Cell& c) { return as_random(c) || is_finite_block(c); };
    if (as_matrix_sum(a) || as_matrix_sum(b))
      throw Refusal{"reject", "outer_product", "a product of two vectors is multiplied coordinatewise"};
    if ((as_block(a) && as_block(a)->axes.size() > 1) || (as_block(b) && as_block(b)->axes.size() > 1)) {
      throw Refusal{"outside", "function_of_weights",
                    "a weight matrix is multiplied by something else than a constant"};
    }
    if (!vector_a && !vector_b && (is_random(a) || is_random(b))) {
      result[k] = random([](const std::vector<double>& v) { return v[0] * v[1]; }, {a, b});
    } else if (is_random(a) || is_random(b)) {
      const Cell& vector = vector_a ? a : b;
      const Cell one = reenter(vector_a ? b : a);
      result[k] = scaled(vector, one.factor);
    } else if (vector_a && vector_b) {
      vectors_at.push_back(k);
      xs.push_back(a);
      ys.push_back(b);
      vector_widths.push_back(widths[k]);
    } else if (vector_a || vector_b) {
      scaled_at.push_back(k);
      scalars.push_back(vector_a ? b : a);
      scaled_cells.push_back(vector_a ? a : b);
      scaled_widths.push_back(widths[k]);
    } else {
      rows_at.push_back(k);
      rows_left.push_back(a);
      rows_right.push_back(b);
    }
  }
  const auto put = [&](const std::vector<std::size_t>& where, const Cells& cells) {
    for (std::size_t k = 0; k < where.size(); ++k) result[where[k]] = cells[k];
  };
  if (!vectors_at.empty()) put(vectors_at, times_vectors(xs, ys, vector_widths));
  if (!scaled_at.empty()) put(scaled_at, scale(scalars, scaled_cells, scaled_widths));
  if (!rows_at.empty()) {
    std::vector<double> power_left, power_right;
    const netsor::TableId a = row(rows_left, &power_left), b = row(rows_right, &power_right);
    Cells products = entries_of(builder_.apply(netsor::Product{}, {a, b}), rows_left);
    for (std::size_t k = 0; k < products.size(); ++k) {
      products[k].factor = powers(power_left[k] + power_right[k]);
      products[k].depends = rows_left[k].depends || rows_right[k].depends;
    }
    put(rows_at, products);
  }
  return result;
}

Cells Writer::times_vectors(const Cells& left, const Cells& right, const std::vector<int>& widths) {
  const Cells xs = vectors(left), ys = vectors(right);
  Cells result(xs.size());
  std::map<std::string, std::map<std::pair<Column, Column>, std::size_t>> distinct;
  std::map<std::string, int> any_width;
  std::vector<std::size_t> position(xs.size());
  for (std::size_t k = 0; k < xs.size(); ++k) {
    if (!as_column(xs[k]) || !as_column(ys[k])) continue;  // a constant of a mixed law
    auto pair = std::minmax(*as_column(xs[k]), *as_column(ys[k]));
    const std::string text = width(widths[k]).text();
    any_width[text] = widths[k];
    auto& pairs = distinct[text];
    position[k] =
        pairs.try_emplace(std::pair<Column, Column>(pair.first, pair.second), pairs.size()).first->second;
  }
  std::map<std::string, BundleId> products;
  for (const auto& [text, pairs] : distinct) {
    std::vector<Column> a(pairs.size(), pairs.begin()->first.first), b = a;
    for (const auto& [pair, index] : pairs) {
      a[index] = pair.first;
      b[index] = pair.second;
    }
    products.emplace(text, builder_.mul(aligned(a, any_width[text]), aligned(b, any_width[text])));
  }
  for (std::size_t k = 0; k < xs.size(); ++k) {
    if (!as_column(xs[k]) || !as_column(ys[k])) {
      result[k] = xs[k].is_number() ? scaled(ys[k], xs[k].factor) : scaled(xs[k], ys[k].factor);
      continue;
    }
    const BundleId product = products.at(width(widths[k]).text());
    result[k] = {Column{product, static_cast<Index>(position[k])}, xs[k].factor * ys[k].factor,
                 xs[k].depends || ys[k].depends, xs[k].blame ? xs[k].blame : ys[k].blame};
  }
  return result;
}

Cells Writer::contract(const Cells& left, const Cells& right, const std::vector<int>& summed,
                       const std::vector<int>& widths) {
  Cells result(left.size());
  std::vector<std::pair<const Block*, Cell>> matrices, readouts;
  std::vector<std::size_t> matrices_at, readouts_at, dots_at;
  std::vector<int> matrix_widths, readout_widths;
  std::vector<Cell> blocks;  // with factors
  Cells us, vs, outers, outer_arguments;
  std::vector<std::size_t> outers_at;
  std::vector<int> outer_summed, outer_widths;
  for (std::size_t k = 0; k < left.size(); ++k) {
    const Cell *a = &left[k], *b = &right[k];
    if (a->is_zero() || b->is_zero()) {
      result[k] = number(Values{});
      continue;
    }
    if (as_matrix_sum(*a) || as_matrix_sum(*b)) {
      outers_at.push_back(k);
      outers.push_back(as_matrix_sum(*a) ? *a : *b);
      outer_arguments.push_back(as_matrix_sum(*a) ? *b : *a);
      outer_summed.push_back(summed[k]);
      outer_widths.push_back(widths[k]);
      continue;
    }
    const auto rank = [](const Cell* c) { return as_block(*c) ? as_block(*c)->axes.size() : 0; };
    if (rank(a) < 2 && (rank(b) == 2 || (rank(b) == 1 && is_readout(*as_block(*b))))) std::swap(a, b);
    if (rank(a) == 2 && rank(b) == 2) {
      throw Refusal{"outside", "product_of_weights", "two weight matrices are multiplied with each other"};
    }
    if (rank(a) == 2) {
      matrices_at.push_back(k);
      matrices.emplace_back(as_block(*a), scaled(*b, a->factor));
      matrix_widths.push_back(summed[k]);
    } else if (rank(a) == 1 && is_readout(*as_block(*a))) {
      readouts_at.push_back(k);
      readouts.emplace_back(as_block(*a), scaled(*b, a->factor));
      readout_widths.push_back(summed[k]);
    } else if (a->is_number() && b->is_number()) {
      result[k] =
          number(a->factor * b->factor * values_of(widths_.size(summed[k])), a->depends || b->depends);
    } else {
      dots_at.push_back(k);
      us.push_back(*a);
      vs.push_back(*b);
    }
  }
  if (!outers.empty()) {
    const Cells read = times_sums(outers, outer_arguments, outer_summed, outer_widths);
    for (std::size_t k = 0; k < read.size(); ++k) result[outers_at[k]] = read[k];
  }
  const Cells products = times_matrices(matrices, matrix_widths);
  for (std::size_t k = 0; k < products.size(); ++k) result[matrices_at[k]] = products[k];
  const Cells outputs = read_out(readouts, readout_widths);
  for (std::size_t k = 0; k < outputs.size(); ++k) result[readouts_at[k]] = outputs[k];
  if (dots_at.empty()) return result;
  std::vector<int> dot_widths;
  for (const std::size_t k : dots_at) dot_widths.push_back(summed[k]);
  const auto columns = [&](const Cells& cells) {
    std::vector<Cells> sums;
    for (const Cell& cell : cells) sums.push_back({cell});
    return terms(sums, dot_widths);
  };
  const auto u = columns(us), v = columns(vs);
  for (std::size_t k = 0; k < dots_at.size(); ++k) {
    if (u[k].empty() || v[k].empty()) {
      result[dots_at[k]] = number(Values{});
      continue;
    }
    const Term &s = u[k][0], &t = v[k][0];
    const auto pair = std::minmax(s.column, t.column);
    Scalar scalar;
    scalar.terms.push_back({constant_values(1), Dot{pair.first, pair.second}});
    result[dots_at[k]] = {std::make_shared<const Scalar>(scalar),
                          s.factor * t.factor * values_of(widths_.size(dot_widths[k])),
                          s.depends || t.depends, s.blame ? s.blame : t.blame};
    width(dot_widths[k]);
  }
  return result;
}

Cells Writer::times_matrices(const std::vector<std::pair<const Block*, Cell>>& products,
                             const std::vector<int>& summed) {
  Cells result(products.size());
  std::vector<Cells> arguments;
  for (const auto& [block, x] : products) arguments.push_back({x});
  const auto columns = terms(arguments, summed);
  std::map<std::pair<std::size_t, std::int64_t>, std::vector<std::size_t>> by_block;
  for (std::size_t k = 0; k < products.size(); ++k) {
    if (!columns[k].empty()) by_block[{products[k].first->input, products[k].first->slot}].push_back(k);
  }
  for (const auto& [key, members] : by_block) {
    const Matrix& weight = matrix(*products[members[0]].first);
    for (const std::size_t k : members) {
      if (products[k].first->axes != products[members[0]].first->axes) {
        const std::string& target = archive_.graphs[0].inputs[key.first].target;
        throw Refusal{"outside", "transpose:" + target,
                      "`" + target +
                          "` is used together with its transpose; the theorem of NETSOR does not cover that"};
      }
    }
    std::map<Column, Index> position;
    std::vector<Column> distinct;
    for (const std::size_t k : members) {
      if (position.try_emplace(columns[k][0].column, static_cast<Index>(distinct.size())).second)
        distinct.push_back(columns[k][0].column);
    }
    const BundleId product = builder_.matmul(weight.weight, aligned(distinct, summed[members[0]]));
    for (const std::size_t k : members) {
      const Term& x = columns[k][0];
      result[k] = {Column{product, position.at(x.column)}, x.factor * weight.factor, x.depends,
                   weight.blame ? weight.blame : x.blame};
    }
  }
  return result;
}

Cells Writer::read_out(const std::vector<std::pair<const Block*, Cell>>& products,
                       const std::vector<int>& summed) {
  Cells result;
  std::vector<Cells> arguments;
  for (const auto& [block, x] : products) arguments.push_back({x});
  const auto columns = terms(arguments, summed);
  for (std::size_t k = 0; k < products.size(); ++k) {
    if (columns[k].empty()) {
      result.push_back(number(Values{}));
      continue;
    }
    const Term x = columns[k][0];
    const Block block = *products[k].first;
    const std::string& target = archive_.graphs[0].inputs[block.input].target;
    auto random = std::make_shared<Random>();
    random->value = [x, block](const Evaluation& evaluation) {
      return x.factor[evaluation.graph()] * evaluation.block(block).dot(evaluation.column(x.column));
    };
    random->source = target;
    random->diagnosis = "finite_bottleneck:" + target.substr(0, target.rfind('.'));
    random->readout = static_cast<int>(readouts_.size());
    result.push_back({std::shared_ptr<const Random>(random), constant_values(1), x.depends, nullptr});
  }
  return result;
}

}  // namespace nngpcheck::importer
