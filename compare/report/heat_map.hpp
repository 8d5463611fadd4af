// Kernels as pictures.
#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <string>
#include <vector>

namespace nngpcheck::compare {

/// C_ij = K_ij / √(K_ii K_jj), brought into [-1, 1] where rounding leaves it; NaN where K_ii or K_jj is not
/// positive. Precondition: K is square.
Eigen::MatrixXd correlation(const Eigen::MatrixXd& kernel);

/// Which colours stand for which values, so that pictures with equal colours can be compared.
struct Colours {
  enum class Map {
    sequential,  // [0, range], dark to bright
    diverging    // [-range, range], blue, white, red
  };
  Map map = Map::sequential;
  double range = 1;
  std::string meaning;  // beside the colour bar
};

/// For correlations: sequential if none of them is negative, else diverging, up to 1.
Colours correlation_colours(const std::vector<Eigen::MatrixXd>& correlations);

/// For differences in standard errors: diverging, up to the largest, and at least to 4.
Colours standard_error_colours(const Eigen::MatrixXd& differences);

/// A picture of a kernel with m rows has rows and columns 0, s, 2s, …: the kernel of some of the inputs. This
/// is s, the smallest for which there are at most 160.
Eigen::Index heat_map_stride(Eigen::Index m);

/// Draws m×m values as `base`.svg and `base`.png: row 0 on top, NaN as missing, in grey, with the labels at
/// rows and columns if there are at most 24; those of more than 16 characters lose their middle. Throws
/// CompareError as `plot` does. Precondition: at least one label, and as many as rows and columns.
void plot_heat_map(const Eigen::MatrixXd& values, const Colours& colours,
                   const std::vector<std::string>& labels, const std::filesystem::path& base);

}  // namespace nngpcheck::compare
