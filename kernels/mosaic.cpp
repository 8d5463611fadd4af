#include "nngpcheck/kernels/mosaic.hpp"

#include <algorithm>
#include <utility>

namespace nngpcheck::kernels {

using Eigen::Index;
using Eigen::MatrixXd;

Mosaic::Mosaic(Index rows, Index columns, bool symmetric)
    : rows_(rows), columns_(columns), symmetric_(symmetric), missing_(rows * columns) {}

double Mosaic::bytes(Index rows, Index columns) {
  return 3 * 8 * static_cast<double>(rows) * static_cast<double>(columns);
}

void Mosaic::add(KernelTile tile) {
  const Index rows = tile.entries.value.rows(), columns = tile.entries.value.cols();
  for (MatrixXd* bars : {&tile.entries.standard_error, &tile.entries.error_bound}) {
    if (bars->size() == 0) bars->setZero(rows, columns);
  }
  const bool twice = symmetric_ && tile.first_row != tile.first_column;
  missing_ -= (twice ? 2 : 1) * rows * columns;
  whole_.repeats = std::max(whole_.repeats, tile.entries.repeats);
  if (tile.rank > rank_) whole_.method = tile.entries.method;
  rank_ = std::max(rank_, tile.rank);
  if (rows == rows_ && columns == columns_) {
    whole_.value = std::move(tile.entries.value);
    whole_.standard_error = std::move(tile.entries.standard_error);
    whole_.error_bound = std::move(tile.entries.error_bound);
    return;
  }
  copy(whole_.value, tile, tile.entries.value);
  copy(whole_.standard_error, tile, tile.entries.standard_error);
  copy(whole_.error_bound, tile, tile.entries.error_bound);
}

void Mosaic::copy(MatrixXd& whole, const KernelTile& tile, const MatrixXd& part) const {
  if (whole.size() == 0) whole.resize(rows_, columns_);
  whole.block(tile.first_row, tile.first_column, part.rows(), part.cols()) = part;
  if (symmetric_ && tile.first_row != tile.first_column)
    whole.block(tile.first_column, tile.first_row, part.cols(), part.rows()) = part.transpose();
}

}  // namespace nngpcheck::kernels
